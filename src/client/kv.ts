import { svcdError } from '../base/errors.ts'
import { refusedStatus } from './client.ts'
import type { Client } from './client.ts'

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

/** How the API writes an entry, its flags as text ({@link withTextFlags}). */
export interface Row {
  readonly LockIndex: number
  readonly Key: string
  readonly Flags: string
  readonly Value: string | null
  readonly Session?: string
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

/** The key/value endpoints as functions, which fail as those of {@link Client} do. */
export class KvClient {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Undefined when the key does not exist. */
  async entry(key: string, options: KvReadOptions = {}): Promise<KvEntry | undefined> {
    return (await this.#rows<Row>(key, query(options)))?.map(entryOf)[0]
  }

  /** All whose key begins with `prefix`, in the order of their keys. */
  async entries(prefix: string, options: KvReadOptions = {}): Promise<readonly KvEntry[]> {
    return (await this.#rows<Row>(prefix, query({ ...options, recurse: true })))?.map(entryOf) ?? []
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

  async #rows<T>(key: string, asked: string): Promise<readonly T[] | undefined> {
    let text: string
    try {
      text = await this.#client.text('GET', pathOf(key, asked))
    } catch (error) {
      if (refusedStatus(error) === 404) return undefined
      throw error
    }
    try {
      return JSON.parse(withTextFlags(text, 'Flags')) as readonly T[]
    } catch (error) {
      throw svcdError('agent-refused', { agent: '', reason: 'The answer is not JSON.' }, error)
    }
  }
}

/**
 * JSON with the numbers of a field as texts, because a number of JavaScript does not hold all of
 * them. Only a field is found: within a string, its quotation marks are escaped.
 */
export function withTextFlags(json: string, field: string): string {
  return json.replaceAll(new RegExp(String.raw`"(${field})"\s*:\s*(\d+)`, 'gi'), '"$1":"$2"')
}

export function entryOf(row: Row): KvEntry {
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

/** An empty or dot segment would be removed on the way, so such a key leaves with its slashes escaped. */
function pathOf(key: string, asked: string): string {
  const isPlain = !/(?:^|\/)(?:\/|\.{1,2}(?:\/|$))/.test(key)
  const path = isPlain ? key.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(key)
  return `kv/${path}${asked}`
}

interface Asked extends KvReadOptions, KvWriteOptions {
  readonly flags?: string | undefined
  readonly recurse?: boolean
  readonly keys?: boolean
  readonly separator?: string
}

function query({ datacenter, stale, cas, flags, recurse, keys, separator }: Asked): string {
  const asked = new URLSearchParams()
  if (datacenter !== undefined) asked.set('dc', datacenter)
  if (stale === true) asked.set('stale', '')
  if (cas !== undefined) asked.set('cas', cas)
  if (flags !== undefined) asked.set('flags', flags)
  if (recurse === true) asked.set('recurse', '')
  if (keys === true) asked.set('keys', '')
  if (separator !== undefined && separator !== '') asked.set('separator', separator)
  return asked.size === 0 ? '' : `?${asked.toString()}`
}
