import { formatDuration } from '../../base/duration.ts'
import { svcdError, SvcdError } from '../../base/errors.ts'
import type { HeldSession } from '../../client/locks/held-session.ts'
import type { Lock } from '../../client/locks/lock.ts'
import type { Io } from '../io.ts'
import { Child } from './child.ts'
import type { LockOptions } from './lock-options.ts'

/** The longest time of a timer, 24 days. */
const timerMsMax = 2 ** 31 - 1

interface Held {
  readonly lock: Lock
  readonly session: HeldSession
  /** From before there was a session: it must end in every case. */
  readonly interrupts: Interrupts
  /** Undefined: it waits as long as it takes. */
  readonly timeoutMs: number | undefined
}

interface Run {
  readonly command: readonly string[]
  readonly shell: string | undefined
  readonly options: LockOptions
}

/**
 * Takes the lock, runs the command and gives the lock back. An interrupt ends the wait, and is passed on to
 * the command. The session ends in every case.
 */
export async function holdWhileRunning(held: Held, run: Run, io: Io): Promise<void> {
  const { lock, session, interrupts } = held
  let hadLock = false
  try {
    const token = await take(held, interrupts, io)
    hadLock = true
    say(io, run, `Got the lock ${lock.key}, index ${token}.`)
    await runAndRelease(held, run, { token, interrupts }, io)
  } finally {
    // In every case: no other process must wait for the TTL of one that is gone.
    await session.end().catch((error: unknown) => warn(io, error))
    if (hadLock) await lock.cleanUp().catch((error: unknown) => warn(io, error))
  }
}

async function take({ lock, timeoutMs }: Held, interrupts: Interrupts, io: Io): Promise<number> {
  const late = timeoutMs === undefined ? [] : [AbortSignal.timeout(Math.min(timeoutMs, timerMsMax))]
  const signal = AbortSignal.any([interrupts.signal, ...late])
  const token = await lock.acquire(signal)
  const { key } = lock
  if (token !== undefined && !signal.aborted) return token
  if (token !== undefined) await lock.release().catch((error: unknown) => warn(io, error))
  if (interrupts.signal.aborted) throw svcdError('lock-interrupted', { key })
  throw svcdError('lock-timeout', { key, timeout: formatDuration(timeoutMs ?? 0) })
}

async function runAndRelease(
  { lock }: Held,
  run: Run,
  { token, interrupts }: { readonly token: number; readonly interrupts: Interrupts },
  io: Io,
): Promise<void> {
  const { command, shell, options } = run
  const watch = new AbortController()
  let reason: string | undefined
  let failure: string | undefined
  try {
    const env = { ...io.env, CONSUL_LOCK_HELD: 'true', SVCD_LOCK_INDEX: String(token) }
    const child = await Child.start({ command, shell, passStdin: options.passStdin === true, env })
    const lost = lock.lost(watch.signal)
    const first = await Promise.race([
      child.ended.then(() => 'ended' as const),
      interrupts.first.then((signal) => signal),
      lost.then((why) => ({ why })),
    ])
    if (typeof first === 'object') reason = first.why
    if (first !== 'ended') {
      interrupts.onNext(() => child.killNow())
      await child.stop(typeof first === 'object' ? 'SIGTERM' : first)
    }
    failure = await child.ended
    if (first !== 'ended') failure = undefined
  } finally {
    // The release first: the next one waits for it.
    const released = lock.release()
    watch.abort()
    await released.catch((error: unknown) => warn(io, error))
  }
  if (reason !== undefined) throw svcdError('lock-lost', { key: lock.key, reason })
  if (failure === undefined) return say(io, run, 'The command has succeeded.')
  if (options.childExitCode === true) throw svcdError('child-failed', { reason: failure })
  io.err(`svcd: The command failed: ${failure}.\n`)
}

/** What the user sends to stop the command. */
export class Interrupts {
  readonly #stopped = new AbortController()
  /** Resolves with the first one. */
  readonly first: Promise<NodeJS.Signals>
  #next: () => void = () => {}

  constructor({ onSignal }: Io) {
    this.first = new Promise((resolve) => {
      onSignal?.((signal) => {
        if (this.#stopped.signal.aborted) return this.#next()
        this.#stopped.abort()
        resolve(signal)
      })
    })
  }

  get signal(): AbortSignal {
    return this.#stopped.signal
  }

  /** Called at each one after the first. */
  onNext(next: () => void): void {
    this.#next = next
  }
}

function say(io: Io, { options }: Run, text: string): void {
  if (options.verbose === true) io.err(`${text}\n`)
}

function warn(io: Io, error: unknown): void {
  if (!(error instanceof SvcdError)) throw error
  io.err(`svcd: ${error.message}\n`)
}
