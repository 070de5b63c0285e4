import { parseDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import { refusedStatus } from './client.ts'
import type { Client } from './client.ts'
import type { KeyRow } from './rows.ts'
import { withTextFlags } from './text-flags.ts'

/** A key with its value. */
export interface KvEntry {
  readonly key: string
  readonly value: Buffer
  /** Decimal, up to 2^64-1: more than a number holds. */
  readonly flags: string
  readonly lockIndex: number
  /** The session that holds the lock; '' for none. */
  readonly session: string
  readonly createIndex: number
  readonly modifyIndex: number
}

export interface KvReadOptions {
  readonly datacenter?: string | undefined
  /** As the agent that is asked has it, also without a leader. */
  readonly stale?: boolean | undefined
}

export interface KvWriteOptions {
  readonly datacenter?: string | undefined
  /** Only if the ModifyIndex of the key is this one; 0: only if the key does not exist. Decimal. */
  readonly cas?: string | undefined
}

/** What a blocking read waits for. */
export interface KvWaitOptions {
  /** Answer when the index is above this one; 0: immediately. */
  readonly index?: number | undefined
  /** The longest time to wait for that. */
  readonly waitMs?: number | undefined
  /** Ask a majority of the servers whether the leader still leads. */
  readonly isConsistent?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A result, and the index to wait for the next one. */
export interface Indexed<T> {
  readonly value: T
  readonly index: number
}

export interface Acquired {
  readonly isHeld: boolean
  /** How long the lock-delay of the key still lasts; undefined when the agent does not say. */
  readonly delayMs: number | undefined
}

export interface LockOptions {
  readonly session: string
  /** Decimal. */
  readonly flags: string
}

const lockDelayHeader = 'X-Svcd-Lock-Delay'

/** The key/value endpoints as functions, which fail as those of {@link Client} do. */
export class KvClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Undefined when the key does not exist. */
  async entry(key: string, options: KvReadOptions = {}): Promise<KvEntry | undefined> {
    return (await this.#rows<KeyRow>(key, query(options)))?.map(entryOf)[0]
  }

  /** All whose key begins with `prefix`, in the order of their keys. */
  async entries(prefix: string, options: KvReadOptions = {}): Promise<readonly KvEntry[]> {
    return (
      (await this.#rows<KeyRow>(prefix, query({ ...options, recurse: true })))?.map(entryOf) ?? []
    )
  }

  /** The keys that begin with `prefix`, each up to the first `separator` behind it; '' for none. */
  async keys(
    prefix: string,
    separator: string,
    options: KvReadOptions = {},
  ): Promise<readonly string[]> {
    const asked = query({ ...options, keys: true, separator })
    return (await this.#rows<string>(prefix, asked)) ?? []
  }

  /** False: the key does not have the index that `cas` names. `flags` are decimal. */
  async put(
    key: string,
    value: Uint8Array,
    { flags, ...options }: KvWriteOptions & { readonly flags?: string | undefined } = {},
  ): Promise<boolean> {
    const path = pathOf(key, query({ ...options, flags }))
    return (await this.#client.text('PUT', path, value)).trim() === 'true'
  }

  /** False: the key is there and does not have the index that `cas` names. */
  async delete(key: string, options: KvWriteOptions = {}): Promise<boolean> {
    const path = pathOf(key, query(options))
    return (await this.#client.text('DELETE', path)).trim() === 'true'
  }

  /** Removes all keys that begin with `prefix`. */
  async deleteTree(
    prefix: string,
    options: Pick<KvWriteOptions, 'datacenter'> = {},
  ): Promise<void> {
    await this.#client.text('DELETE', pathOf(prefix, query({ ...options, recurse: true })))
  }

  /** The entry of a key, once its index has moved. */
  async waitForEntry(key: string, wait: KvWaitOptions): Promise<Indexed<KvEntry | undefined>> {
    const { value, index } = await this.#waitForRows(key, wait, {})
    return { value: value[0], index }
  }

  /** All entries whose key begins with `prefix`, once the index of the prefix has moved. */
  waitForEntries(prefix: string, wait: KvWaitOptions): Promise<Indexed<readonly KvEntry[]>> {
    return this.#waitForRows(prefix, wait, { recurse: true })
  }

  /** Takes the lock of a key, with an empty value. */
  async acquire(key: string, { session, flags }: LockOptions): Promise<Acquired> {
    const path = pathOf(key, query({ flags, acquire: session }))
    const answer = await this.#client.ask('PUT', path, { body: new Uint8Array() })
    const delay = parseDuration(answer.header(lockDelayHeader) ?? '')
    return { isHeld: answer.text.trim() === 'true', delayMs: delay }
  }

  /** False: the session did not hold the lock. */
  async release(key: string, { session, flags }: LockOptions): Promise<boolean> {
    const path = pathOf(key, query({ flags, release: session }))
    return (await this.#client.text('PUT', path, new Uint8Array())).trim() === 'true'
  }

  async #waitForRows(
    key: string,
    { signal, waitMs = 0, ...wait }: KvWaitOptions,
    asked: Asked,
  ): Promise<Indexed<readonly KvEntry[]>> {
    const isBlocking = wait.index !== undefined && wait.index > 0
    const path = pathOf(key, query({ ...asked, ...wait, waitMs: isBlocking ? waitMs : 0 }))
    try {
      const answer = await this.#client.ask('GET', path, {
        signal,
        waitMs: isBlocking ? waitMs : 0,
      })
      const index = Number(answer.header('X-Consul-Index') ?? 0)
      return { value: (parseRows(answer.text) as readonly KeyRow[]).map(entryOf), index }
    } catch (error) {
      if (refusedStatus(error) === 404) return { value: [], index: 0 }
      throw error
    }
  }

  async #rows<T>(key: string, asked: string): Promise<readonly T[] | undefined> {
    let text: string
    try {
      text = await this.#client.text('GET', pathOf(key, asked))
    } catch (error) {
      if (refusedStatus(error) === 404) return undefined
      throw error
    }
    return parseRows(text) as readonly T[]
  }
}

function parseRows(text: string): unknown {
  try {
    return JSON.parse(withTextFlags(text, 'Flags'))
  } catch (error) {
    throw svcdError('agent-refused', { agent: '', reason: 'The answer is not JSON.' }, error)
  }
}

export function entryOf(row: KeyRow): KvEntry {
  return {
    key: row.Key,
    value: Buffer.from(row.Value ?? '', 'base64'),
    flags: row.Flags,
    lockIndex: row.LockIndex,
    session: row.Session ?? '',
    createIndex: row.CreateIndex,
    modifyIndex: row.ModifyIndex,
  }
}

function pathOf(key: string, asked: string): string {
  return `kv/${keyInPath(key)}${asked}`
}

/**
 * A key as it stands in a path. An empty or dot segment would be removed on the way, so such a key leaves
 * with its slashes escaped.
 */
export function keyInPath(key: string): string {
  const isPlain = !/(?:^|\/)(?:\/|\.{1,2}(?:\/|$))/.test(key)
  return isPlain ? key.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(key)
}

interface Asked extends KvReadOptions, KvWriteOptions {
  readonly flags?: string | undefined
  readonly recurse?: boolean
  readonly keys?: boolean
  readonly separator?: string
  readonly index?: number | undefined
  readonly waitMs?: number | undefined
  readonly isConsistent?: boolean | undefined
  readonly acquire?: string
  readonly release?: string
}

function query(choices: Asked): string {
  const { datacenter, stale, cas, flags, recurse, keys, separator } = choices
  const { index = 0, waitMs = 0, isConsistent, acquire, release } = choices
  const asked = new URLSearchParams()
  if (index > 0) asked.set('index', String(index))
  if (waitMs > 0) asked.set('wait', `${Math.ceil(waitMs)}ms`)
  if (isConsistent === true) asked.set('consistent', '')
  if (acquire !== undefined) asked.set('acquire', acquire)
  if (release !== undefined) asked.set('release', release)
  if (datacenter !== undefined) asked.set('dc', datacenter)
  if (stale === true) asked.set('stale', '')
  if (cas !== undefined) asked.set('cas', cas)
  if (flags !== undefined) asked.set('flags', flags)
  if (recurse === true) asked.set('recurse', '')
  if (keys === true) asked.set('keys', '')
  if (separator !== undefined && separator !== '') asked.set('separator', separator)
  return asked.size === 0 ? '' : `?${asked.toString()}`
}
