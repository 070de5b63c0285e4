import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { missing, notRoot } from './tools.ts'

/** A reason to skip where {@link ShellSession} cannot be, for tap's `skip` option. */
export function noSessions(): string | false {
  return missing('unshare', 'ip', 'bash') || notRoot()
}

const hostOfItsOwn = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc']
// Bash takes a socket at its input for a remote shell, and would read ~/.bashrc.
const loopbackUp = 'ip link set lo up && exec bash --norc 2>&1'

/**
 * A shell on a host of its own, where every port is free: a network namespace with 127.0.0.0/8. It keeps
 * its directory, variables and jobs from one command to the next; when it ends, all that it started ends.
 */
export class ShellSession {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #output = ''
  #onOutput = (): void => {}
  #count = 0

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    const words = [...hostOfItsOwn, 'sh', '-c', loopbackUp]
    this.#child = spawn('unshare', words, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.#child, 'exit')
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
      this.#onOutput()
    })
  }

  /** What a command prints on both outputs until it ends, without the shell's own lines about jobs. */
  async run(command: string): Promise<string> {
    const mark = `==== end of command ${++this.#count}\n`
    const from = this.#output.length
    await new Promise<void>((resolve, reject) => {
      this.#onOutput = () => {
        if (this.#output.includes(mark, from)) resolve()
      }
      void this.#exited.then(() => reject(new Error(`the shell ended:\n${this.#output}`)))
      this.#child.stdin?.write(`{ ${command}\n} < /dev/null\necho "${mark.trimEnd()}"\n`)
    })
    const printed = this.#output.slice(from, this.#output.indexOf(mark, from))
    return printed.replaceAll(/^bash: line \d+: +\d+ \w+ .*\n/gm, '')
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}
