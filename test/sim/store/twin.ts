import { must } from '../../../src/base/assert.ts'
import type { Entry, Index } from '../../../src/raft/entry.ts'
import { decodeCommand } from '../../../src/state/families.ts'
import type { CommandBody } from '../../../src/state/families.ts'

/** What is stored under a key, as the API shows it. */
export interface Stored {
  /** In base64. */
  readonly value: string
  readonly flags: number
  readonly lockIndex: number
  readonly session: string
  readonly createIndex: Index
  readonly modifyIndex: Index
}

/** A command of one key, and what it makes of what was there: the whole contract of the store. */
export interface Put {
  readonly kind: 'put'
  readonly value: string
  readonly flags: string
  readonly cas: string | undefined
}
export interface Delete {
  readonly kind: 'delete'
  readonly cas: string | undefined
}

export type KeyWrite = Put | Delete

export interface Written {
  readonly stored: Stored | undefined
  readonly isDone: boolean
}

export function write(before: Stored | undefined, asked: KeyWrite, index: Index): Written {
  const { kind, cas } = asked
  if (kind === 'delete') {
    if (before === undefined) return { stored: before, isDone: true }
    if (cas !== undefined && cas !== String(before.modifyIndex))
      return { stored: before, isDone: false }
    return { stored: undefined, isDone: true }
  }
  if (cas !== undefined && cas !== String(before?.modifyIndex ?? 0))
    return { stored: before, isDone: false }
  return { stored: put(before, asked, index), isDone: true }
}

export function put(
  before: Stored | undefined,
  fields: { readonly value: string; readonly flags: string; readonly session?: string },
  index: Index,
): Stored {
  const { value, flags, session = before?.session ?? '' } = fields
  const isTaken = session !== '' && session !== before?.session
  const lockIndex = (before?.lockIndex ?? 0) + (isTaken ? 1 : 0)
  const next = { value, flags: Number(flags), session, lockIndex }
  const isSame =
    before?.value === value && before.flags === next.flags && before.session === session
  if (isSame) return before
  return { ...next, createIndex: before?.createIndex ?? index, modifyIndex: index }
}

/** What a key came to at an entry. */
interface Version {
  readonly index: Index
  readonly stored: Stored | undefined
}

/** What a command came to: as an outcome, without its index. */
export interface Came {
  readonly index: Index
  readonly ok: boolean
  readonly value: unknown
}

/**
 * The store written again, as simply as can be: it applies a whole log, one entry after the other, and keeps all
 * that ever was.
 */
export class Twin {
  readonly #versions = new Map<string, Version[]>()
  readonly came = new Map<string, Came>()

  /** All of a log, the entries that committed. */
  apply(entries: readonly Entry[]): void {
    for (const { kind, index, data } of entries) {
      if (kind !== 'command') continue
      const { requestId, body } = decodeCommand(data)
      if (!this.came.has(requestId)) this.came.set(requestId, this.#apply(body, index))
    }
  }

  /** Of a key, when entry `at` was the last. */
  at(key: string, at: Index): Stored | undefined {
    return this.#versionAt(key, at)?.stored
  }

  /** All that was there below a prefix, by key. */
  below(prefix: string, at: Index): readonly (readonly [string, Stored])[] {
    return this.#keysBelow(prefix).flatMap((key) => {
      const stored = this.at(key, at)
      return stored === undefined ? [] : [[key, stored] as const]
    })
  }

  /** The entry that changed a key last, or one below a prefix; deletions are changes. */
  changedAt(key: string, at: Index): Index {
    return this.#versionAt(key, at)?.index ?? 0
  }

  changedBelow(prefix: string, at: Index): Index {
    return Math.max(0, ...this.#keysBelow(prefix).map((key) => this.changedAt(key, at)))
  }

  #keysBelow(prefix: string): string[] {
    return [...this.#versions.keys()].filter((key) => key.startsWith(prefix)).toSorted()
  }

  #versionAt(key: string, at: Index): Version | undefined {
    const versions = this.#versions.get(key) ?? []
    let [from, to] = [0, versions.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (must(versions[middle]).index <= at) from = middle + 1
      else to = middle
    }
    return versions[from - 1]
  }

  #apply(body: CommandBody, index: Index): Came {
    const done = (isDone = true): Came => ({
      index,
      ok: true,
      value: isDone ? undefined : false,
    })
    switch (body.kind) {
      case 'kv-put':
        return done(this.#write(body.key, { ...body, kind: 'put', cas: body.cas }, index))
      case 'kv-delete':
        return done(this.#write(body.key, { kind: 'delete', cas: body.cas }, index))
      case 'kv-delete-tree':
        for (const key of this.#keysBelow(body.prefix)) {
          this.#write(key, { kind: 'delete', cas: undefined }, index)
        }
        return done()
      default:
        throw new Error(`the twin does not know ${body.kind}`)
    }
  }

  #write(key: string, asked: KeyWrite, index: Index): boolean {
    const before = this.at(key, index)
    const { stored, isDone } = write(before, asked, index)
    this.#note(key, before, { index, stored })
    return isDone
  }

  #note(key: string, before: Stored | undefined, version: Version): void {
    if (version.stored === before) return
    const versions = this.#versions.get(key)
    if (versions === undefined) this.#versions.set(key, [version])
    else versions.push(version)
  }
}
