import { spawn } from 'node:child_process'
import { reasonOf } from '../base/errors.ts'

export interface ChildOptions {
  readonly words: readonly string[]
  /** A shell runs the words, joined with spaces. Otherwise the first word is the program. */
  readonly hasShell: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** For its standard input. */
  readonly input: string
  /** Ends it. */
  readonly terminated: AbortSignal
}

/**
 * Runs a command on a change. It writes to where this process writes. Resolves when it has ended: with what is
 * wrong, or undefined if it succeeded.
 */
export function runChild(options: ChildOptions): Promise<string | undefined> {
  const { words, hasShell, env, input, terminated } = options
  const [file = '', ...args] = hasShell ? [shellOf(env), '-c', words.join(' ')] : words
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: ['pipe', 'inherit', 'inherit'] })
    const terminate = (): void => void child.kill('SIGTERM')
    terminated.addEventListener('abort', terminate)
    if (terminated.aborted) terminate()
    const end = (fault: string | undefined): void => {
      terminated.removeEventListener('abort', terminate)
      resolve(fault)
    }
    // A command need not read what it gets.
    child.stdin.on('error', () => {})
    child.stdin.end(`${input}\n`)
    child.on('error', (error) => end(reasonOf(error)))
    child.on('exit', (code, signal) => {
      if (signal !== null) end(`it was ended by ${signal}`)
      else end(code === 0 ? undefined : `exit code ${code}`)
    })
  })
}

function shellOf(env: ChildOptions['env']): string {
  const { SHELL = '' } = env
  return SHELL === '' ? '/bin/sh' : SHELL
}
