import { reasonOf, svcdError } from '../../base/errors.ts'
import { isObject } from '../../base/shape.ts'
import type { KvClient, KvEntry } from '../kv.ts'
import type { HeldSession } from './held-session.ts'
import { semaphoreFlags, waitMs } from './lock.ts'
import type { Lock } from './lock.ts'
import { attemptUntilHeld, repeatWhileHeld, watchUntilLost, type Attempt } from './loops.ts'

/** Where a semaphore is: its prefix without a slash at the end, its key, and its places. */
export interface SemaphorePlace {
  readonly prefix: string
  readonly key: string
  readonly limit: number
}

/** The value of the key, in the JSON of Consul's clients. */
interface Holders {
  readonly limit: number
  /** IDs of sessions. */
  readonly ids: ReadonlySet<string>
}

/**
 * One of several places, as the Semaphore of Consul's client library has it: each contender holds a key of its
 * own (`<prefix>/<session>`), and the common key lists those that have a place.
 */
export class Semaphore implements Lock {
  readonly key: string
  readonly #kv: KvClient
  readonly #place: SemaphorePlace
  readonly #session: HeldSession
  readonly #monitorRetries: number

  constructor(kv: KvClient, place: SemaphorePlace, session: HeldSession, monitorRetries: number) {
    this.#kv = kv
    this.#place = place
    this.key = place.key
    this.#session = session
    this.#monitorRetries = monitorRetries
  }

  acquire(signal: AbortSignal): Promise<number | undefined> {
    let isContender = false
    return attemptUntilHeld(this.key, this.#session, signal, async (index, either) => {
      if (!isContender) {
        const options = { session: this.#session.id, flags: semaphoreFlags }
        const { isHeld, delayMs } = await this.#kv.acquire(this.#contenderKey, options)
        if (!isHeld) return { kind: 'refused', delayMs }
        isContender = true
      }
      return this.#attempt(index, either)
    })
  }

  lost(signal: AbortSignal): Promise<string | undefined> {
    return watchUntilLost(this.#session, signal, this.#monitorRetries, async (index, either) => {
      const wait = { index, waitMs, isConsistent: true, signal: either }
      const { value: entries, index: next } = await this.#kv.waitForEntries(this.#tree, wait)
      const { holders } = this.#read(entries)
      return { value: holders.ids.has(this.#session.id), index: next }
    })
  }

  release(): Promise<void> {
    return repeatWhileHeld(this.#session, () => this.#leave())
  }

  async #leave(): Promise<void> {
    for (let isDone = false; !isDone;) {
      const entry = await this.#kv.entry(this.key)
      const holders = this.#holdersOf(entry)
      const ids = new Set(holders.ids)
      isDone = !ids.delete(this.#session.id) || (await this.#write({ ...holders, ids }, entry))
    }
    await this.#kv.delete(this.#contenderKey)
  }

  async cleanUp(): Promise<void> {
    const { entry, holders } = this.#read(await this.#kv.entries(this.#tree))
    if (entry === undefined || holders.ids.size > 0) return
    await this.#kv.delete(this.key, { cas: String(entry.modifyIndex) })
  }

  get #tree(): string {
    return `${this.#place.prefix}/`
  }

  get #contenderKey(): string {
    return `${this.#tree}${this.#session.id}`
  }

  async #attempt(index: number, signal: AbortSignal): Promise<Attempt> {
    const { id } = this.#session
    const { limit } = this.#place
    const found = await this.#kv.waitForEntries(this.#tree, { index, waitMs, signal })
    const { entry, holders } = this.#read(found.value)
    if (holders.limit !== limit) {
      throw svcdError('semaphore-limit', { key: this.key, limit: holders.limit, asked: limit })
    }
    if (holders.ids.has(id)) return { kind: 'held', token: entry?.modifyIndex ?? 0 }
    if (holders.ids.size >= limit) return { kind: 'taken', index: found.index }
    const isWritten = await this.#write({ limit, ids: new Set([...holders.ids, id]) }, entry)
    if (!isWritten) return { kind: 'taken', index: 0 }
    const written = await this.#kv.entry(this.key)
    return { kind: 'held', token: written?.modifyIndex ?? 0 }
  }

  /** The semaphore without the holders whose session has ended. */
  #read(entries: readonly KvEntry[]): {
    readonly entry: KvEntry | undefined
    readonly holders: Holders
  } {
    const entry = entries.find(({ key }) => key === this.key)
    const alive = new Set(entries.map(({ session }) => session))
    const { limit, ids } = this.#holdersOf(entry)
    return { entry, holders: { limit, ids: new Set([...ids].filter((id) => alive.has(id))) } }
  }

  #holdersOf(entry: KvEntry | undefined): Holders {
    if (entry === undefined) return { limit: this.#place.limit, ids: new Set() }
    if (entry.flags !== semaphoreFlags) {
      throw svcdError('lock-conflict', { key: this.key, what: 'semaphore' })
    }
    const { Limit, Holders } = this.#json(entry)
    const ids = isObject(Holders) ? Object.keys(Holders) : []
    return { limit: typeof Limit === 'number' ? Limit : this.#place.limit, ids: new Set(ids) }
  }

  #json({ value }: KvEntry): Readonly<Record<string, unknown>> {
    try {
      const parsed: unknown = value.length === 0 ? {} : JSON.parse(value.toString())
      if (isObject(parsed)) return parsed
      throw new Error('it is not an object')
    } catch (error) {
      throw svcdError('semaphore-invalid', { key: this.key, reason: reasonOf(error) }, error)
    }
  }

  /** False: another one was faster. */
  #write({ limit, ids }: Holders, entry: KvEntry | undefined): Promise<boolean> {
    const holders = Object.fromEntries([...ids].map((id) => [id, true]))
    const value = Buffer.from(JSON.stringify({ Limit: limit, Holders: holders }))
    const cas = String(entry?.modifyIndex ?? 0)
    return this.#kv.put(this.key, value, { cas, flags: semaphoreFlags })
  }
}
