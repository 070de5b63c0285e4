import { must } from '../../../src/base/assert.ts'
import type { Entry, Index, Term } from '../../../src/raft/entry.ts'
import { decodeCommand } from '../../../src/state/families.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import type { SessionCreateCommand } from '../../../src/state/session/commands.ts'
import type { Behavior } from '../../../src/state/session/model.ts'

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

export interface Acquire {
  readonly kind: 'acquire'
  readonly value: string
  readonly flags: string
  readonly session: string
  /** Whether somebody may lock it now: a lock-delay is over, and the session is there. Undefined: nobody knows. */
  readonly mayLock: boolean | undefined
}
export interface Release {
  readonly kind: 'release'
  readonly value: string
  readonly flags: string
  readonly session: string
}
/** Sessions have ended, one of which may hold the key. */
export interface End {
  readonly kind: 'end'
  readonly behaviors: ReadonlyMap<string, Behavior>
}

export type KeyWrite = Put | Delete | Acquire | Release | End

export interface Written {
  readonly stored: Stored | undefined
  /** Undefined: either may be. */
  readonly isDone: boolean | undefined
}

export function write(before: Stored | undefined, asked: KeyWrite, index: Index): Written {
  const refused = { stored: before, isDone: false }
  const holder = before?.session ?? ''
  switch (asked.kind) {
    case 'put':
      if (asked.cas !== undefined && asked.cas !== String(before?.modifyIndex ?? 0)) return refused
      return { stored: put(before, asked, index), isDone: true }
    case 'delete':
      if (before === undefined) return { stored: before, isDone: true }
      if (asked.cas !== undefined && asked.cas !== String(before.modifyIndex)) return refused
      return { stored: undefined, isDone: true }
    case 'acquire': {
      if (holder !== '' && holder !== asked.session) return refused
      const mayLock = holder === '' ? asked.mayLock : true
      return mayLock === false ? refused : { stored: put(before, asked, index), isDone: mayLock }
    }
    case 'release':
      if (before === undefined || holder !== asked.session) return refused
      return { stored: put(before, { ...asked, session: '' }, index), isDone: true }
    case 'end':
      if (before === undefined || !asked.behaviors.has(holder)) return refused
      if (asked.behaviors.get(holder) === 'delete') return { stored: undefined, isDone: true }
      return { stored: released(before, index), isDone: true }
  }
}

function released(before: Stored, index: Index): Stored {
  return { ...before, session: '', modifyIndex: index }
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

interface Applied {
  readonly requestId: string
  readonly index: Index
  /** Of the leader whose entry it is. */
  readonly term: Term
}

export interface SessionEnd extends Applied {
  readonly session: SessionCreateCommand
  /** Expired: a leader says that it was not renewed in time. Critical: one of its checks became so. */
  readonly cause: 'destroyed' | 'expired' | 'critical'
}

export interface DelayBegun extends Applied {
  readonly key: string
  readonly delayNs: number
}

export interface DelayEnd extends Applied {
  readonly begun: DelayBegun
}

/**
 * The store written again, as simply as can be: it applies a whole log, one entry after the other, and keeps all
 * that ever was.
 */
export class Twin {
  readonly #versions = new Map<string, Version[]>()
  readonly came = new Map<string, Came>()
  readonly #live = new Map<string, SessionCreateCommand>()
  readonly #delays = new Map<string, DelayBegun>()
  readonly #critical = new Set<string>()
  /** All that ever were, in the order of their ends. */
  readonly ends: SessionEnd[] = []
  readonly delayEnds: DelayEnd[] = []
  /** By session: the request that made it. */
  readonly createdBy = new Map<string, string>()
  #request: Pick<SessionEnd, 'requestId' | 'term' | 'index'> = { requestId: '', term: 0, index: 0 }

  /** Sessions and lock-delays that nothing has ended yet. */
  get live(): readonly SessionCreateCommand[] {
    return [...this.#live.values()]
  }

  get delays(): ReadonlyMap<string, DelayBegun> {
    return this.#delays
  }

  /** All of a log, the entries that committed. */
  apply(entries: readonly Entry[]): void {
    for (const { kind, index, term, data } of entries) {
      if (kind !== 'command') continue
      const { requestId, body } = decodeCommand(data)
      if (this.came.has(requestId)) continue
      this.#request = { requestId, term, index }
      this.came.set(requestId, this.#apply(body, index))
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
    const done = (isDone: boolean | undefined = true): Came => ({
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
      case 'kv-acquire': {
        if (!this.#live.has(body.session)) return { index, ok: false, value: 'unknown-session' }
        const isFree = (this.at(body.key, index)?.session ?? '') === ''
        if (isFree && this.#delays.has(body.key)) return { index, ok: true, value: 'lock-delay' }
        return done(this.#write(body.key, { ...body, kind: 'acquire', mayLock: true }, index))
      }
      case 'kv-release':
        return done(this.#write(body.key, { ...body, kind: 'release' }, index))
      case 'session-create':
        return this.#create(body, index)
      case 'session-destroy':
        if (body.term === undefined || body.term === this.#request.term) {
          this.#end(body.id, body.term === undefined ? 'destroyed' : 'expired')
        }
        return done()
      case 'lock-delay-end':
        this.#endDelay(body.key, body.index)
        return done()
      case 'update-check':
        return this.#judge(body.checkId, body.status === 'critical', index)
      case 'batch':
        for (const inner of body.bodies) this.#apply(inner, index)
        return done()
      case 'autopilot-reset':
      case 'autopilot-set':
      case 'acl-bootstrap':
      case 'acl-bootstrap-restore':
      case 'acl-policy-delete':
      case 'acl-policy-put':
      case 'acl-role-delete':
      case 'acl-role-put':
      case 'acl-token-delete':
      case 'acl-token-put':
      case 'acl-tokens-expire':
      case 'deregister':
      case 'dns-cookie-reset':
      case 'dns-cookie-rotate':
      case 'dns-cookie-set':
      case 'event-fire':
      case 'intention-delete':
      case 'intention-put':
      case 'lock-delay-restore':
      case 'lock-restore':
      case 'query-delete':
      case 'query-put':
      case 'register':
      case 'txn':
      case 'use-format':
        throw new Error(`the twin does not know ${body.kind}`)
    }
  }

  #create(body: SessionCreateCommand, index: Index): Came {
    const isCritical = (body.nodeChecks ?? []).some((id) => this.#critical.has(id))
    if (isCritical) return { index, ok: false, value: 'critical-check' }
    this.#live.set(body.id, body)
    this.createdBy.set(body.id, this.#request.requestId)
    return { index, ok: true, value: undefined }
  }

  #judge(checkId: string, isCritical: boolean, index: Index): Came {
    if (isCritical) this.#critical.add(checkId)
    else this.#critical.delete(checkId)
    const ending = isCritical
      ? this.live.filter(({ nodeChecks }) => nodeChecks?.includes(checkId) === true)
      : []
    for (const { id } of ending) this.#end(id, 'critical')
    return { index, ok: true, value: undefined }
  }

  #end(id: string, cause: SessionEnd['cause']): void {
    const session = this.#live.get(id)
    if (session === undefined) return
    this.#live.delete(id)
    this.ends.push({ ...this.#request, session, cause })
    const { index } = this.#request
    for (const key of this.#versions.keys()) {
      if (this.at(key, index)?.session !== id) continue
      this.#write(key, { kind: 'end', behaviors: new Map([[id, session.behavior]]) }, index)
      if (session.lockDelayNs === 0) continue
      this.#delays.set(key, { ...this.#request, key, delayNs: session.lockDelayNs })
    }
  }

  #endDelay(key: string, begunAt: Index): void {
    const begun = this.#delays.get(key)
    if (begun?.index !== begunAt) return
    this.#delays.delete(key)
    this.delayEnds.push({ ...this.#request, begun })
  }

  #write(key: string, asked: KeyWrite, index: Index): boolean | undefined {
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
