import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { reasonOf, svcdError } from '../../base/errors.ts'

/** How long the command has to end after a signal, as in Consul: less than the default lock-delay. */
const graceMs = 5000

export interface ChildOptions {
  /** A command and its arguments; with `shell` they are one line for that. */
  readonly command: readonly string[]
  /** The path of a shell. */
  readonly shell: string | undefined
  /** Give it standard input, and leave it in the foreground of the terminal. */
  readonly passStdin: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The command that runs while the lock is held. Its output is that of svcd. */
export class Child {
  readonly #process: ChildProcess
  readonly #hasGroup: boolean
  /** Resolves with undefined when it has succeeded, otherwise with why it has failed. */
  readonly ended: Promise<string | undefined>

  private constructor(child: ChildProcess, hasGroup: boolean) {
    this.#process = child
    this.#hasGroup = hasGroup
    this.ended = endOf(child)
    // If svcd ends before it by an error of its own, the lock is no longer watched.
    const killIt = (): void => this.killNow()
    process.once('exit', killIt)
    void this.ended.then(() => process.off('exit', killIt))
  }

  /** Throws `child-not-started`. */
  static async start({ command, shell, passStdin, env }: ChildOptions): Promise<Child> {
    const line = command.join(' ')
    const [file = '', ...args] = shell === undefined ? command : [shell, '-c', line]
    // A group of its own, so that what a shell has started is stopped, too. It has no terminal then.
    const hasGroup = !passStdin
    const child = spawn(file, args, {
      detached: hasGroup,
      stdio: [passStdin ? 'inherit' : 'ignore', 'inherit', 'inherit'],
      env: { ...env },
    })
    try {
      await once(child, 'spawn')
    } catch (error) {
      throw svcdError('child-not-started', { command: file, reason: reasonOf(error) }, error)
    }
    return new Child(child, hasGroup)
  }

  /** Sends a signal, and SIGKILL when it has not ended after the grace period. Resolves when it has ended. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#kill(signal)
    const timer = setTimeout(() => this.#kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
    // The other processes of the group must not continue without the lock.
    if (this.#hasGroup) this.#kill('SIGKILL')
  }

  killNow(): void {
    this.#kill('SIGKILL')
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      process.kill(this.#hasGroup ? -pid : pid, signal)
    } catch {
      // Nothing of it is left.
    }
  }
}

async function endOf(child: ChildProcess): Promise<string | undefined> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (signal !== null) return `it was ended by ${signal}`
  return code === 0 ? undefined : `exit code ${code}`
}
