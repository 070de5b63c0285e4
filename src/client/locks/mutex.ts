import { svcdError } from '../../base/errors.ts'
import type { KvClient, KvEntry } from '../kv.ts'
import type { HeldSession } from './held-session.ts'
import { lockFlags, waitMs } from './lock.ts'
import type { Lock } from './lock.ts'
import { attemptUntilHeld, repeatWhileHeld, watchUntilLost, type Attempt } from './loops.ts'

/** A lock that one session holds, as the Lock of Consul's client library has it. */
export class Mutex implements Lock {
  readonly key: string
  readonly #kv: KvClient
  readonly #session: HeldSession
  readonly #monitorRetries: number

  constructor(kv: KvClient, key: string, session: HeldSession, monitorRetries: number) {
    this.key = key
    this.#kv = kv
    this.#session = session
    this.#monitorRetries = monitorRetries
  }

  acquire(signal: AbortSignal): Promise<number | undefined> {
    return attemptUntilHeld(this.key, this.#session, signal, (index, either) =>
      this.#attempt(index, either),
    )
  }

  lost(signal: AbortSignal): Promise<string | undefined> {
    return watchUntilLost(this.#session, signal, this.#monitorRetries, async (index, either) => {
      const wait = { index, waitMs, isConsistent: true, signal: either }
      const found = await this.#kv.waitForEntry(this.key, wait)
      return { ...found, value: found.value?.session === this.#session.id }
    })
  }

  async release(): Promise<void> {
    const options = { session: this.#session.id, flags: lockFlags }
    await repeatWhileHeld(this.#session, () => this.#kv.release(this.key, options))
  }

  async cleanUp(): Promise<void> {
    const entry = await this.#kv.entry(this.key)
    if (entry === undefined || entry.flags !== lockFlags || entry.session !== '') return
    // Only if no other session has taken it in between.
    await this.#kv.delete(this.key, { cas: String(entry.modifyIndex) })
  }

  async #attempt(index: number, signal: AbortSignal): Promise<Attempt> {
    const { id } = this.#session
    const { value: entry, index: next } = await this.#kv.waitForEntry(this.key, {
      index,
      waitMs,
      signal,
    })
    this.#mustBeLock(entry)
    if (entry?.session === id) return { kind: 'held', token: entry.modifyIndex }
    if (entry !== undefined && entry.session !== '') return { kind: 'taken', index: next }
    // Without the signal: an attempt that was broken off could have succeeded.
    const { isHeld, delayMs } = await this.#kv.acquire(this.key, { session: id, flags: lockFlags })
    if (!isHeld) return { kind: 'refused', delayMs }
    // The agent has applied it. A copy that is behind does not show this session.
    const held = await this.#kv.entry(this.key, { stale: true })
    return held?.session === id
      ? { kind: 'held', token: held.modifyIndex }
      : { kind: 'refused', delayMs: undefined }
  }

  #mustBeLock(entry: KvEntry | undefined): void {
    if (entry === undefined || entry.flags === lockFlags) return
    throw svcdError('lock-conflict', { key: this.key, what: 'lock' })
  }
}
