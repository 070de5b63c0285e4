import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'
import { svcdBin } from './agent-process.ts'

export interface LockEnd {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A running `svcd lock` or `consul lock`. */
export class LockCommand {
  readonly child: ChildProcess
  readonly ended: Promise<LockEnd>
  out = ''
  err = ''
  #onOutput = new Set<() => void>()

  /** `words` is what follows `lock`. Killed when the test ends. */
  constructor(
    t: Pick<Test, 'teardown'>,
    httpUrl: string,
    words: readonly string[],
    program: 'svcd' | 'consul' = 'svcd',
  ) {
    const [file = '', ...first] = program === 'consul' ? ['consul'] : [process.execPath, svcdBin]
    const env = { ...process.env, SVCD_HTTP_ADDR: httpUrl, CONSUL_HTTP_ADDR: httpUrl, SHELL: '' }
    const child = spawn(file, [...first, 'lock', ...words], { env })
    this.child = child
    child.stdout.on('data', (chunk: Buffer) => {
      this.out += chunk.toString()
      for (const look of this.#onOutput) look()
    })
    child.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString()))
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, out: this.out, err: this.err }))
    })
    t.teardown(() => child.kill('SIGKILL'))
  }

  /** Resolves when its standard output has `text`; rejects when it ends before. */
  says(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.out.includes(text)) resolve()
      }
      this.#onOutput.add(look)
      void this.ended.then(({ code, err }) => reject(new Error(`ended with ${code}: ${err}`)))
      look()
    })
  }

  /** Lets the command of {@link heldUntilTold} end. */
  tell(): void {
    this.child.stdin?.end('\n')
  }
}

/** Options and a command that says when it has the lock, and ends at the first line of its input. */
export const heldUntilTold = (prefix: string, ...options: readonly string[]): readonly string[] => [
  ...options,
  '-pass-stdin',
  prefix,
  'echo in $SVCD_LOCK_INDEX; read line; echo out',
]
