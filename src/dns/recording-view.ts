import type { IpBytes } from '../base/ip.ts'
import type { Endpoint, Holder, NodeEntry, Queried, ServiceLookup, View } from './view.ts'

/** The families that some answers are made from besides the catalog. */
export type OtherFamily = 'kv' | 'query'

/** A view of the registry at one moment, and the versions that held when it was opened. */
export interface Snapshot {
  readonly view: View
  /**
   * `generation` and `applied` of the versions, loaded *before* the read transaction behind `view`
   * began. A snapshot that serves a batch of questions keeps those of its beginning.
   */
  readonly generation: number
  readonly applied: number
  /** `applied` of the other families, loaded at the same time. */
  readonly others: Readonly<Record<OtherFamily, number>>
}

export interface SubjectSlots {
  slotOf(subject: string): number
}

/** The counters of one family; `state/machine/versions.ts` implements it. */
export interface FamilyCounters extends SubjectSlots {
  readonly applied: number
  holds(slot: number, since: number): boolean
}

/** What an answer depends on in a family other than the catalog. */
export interface Dependence {
  readonly counters: FamilyCounters
  readonly slots: readonly number[]
  /** `applied` of the family when the slots were last found unchanged. */
  checked: number
}

/** Whether nothing has changed of what an answer depends on in other families. */
export function dependencesHold(dependences: readonly Dependence[]): boolean {
  for (const dependence of dependences) {
    const { counters, slots, checked } = dependence
    const { applied } = counters
    if (checked === applied) continue
    for (const slot of slots) if (!counters.holds(slot, checked)) return false
    dependence.checked = applied
  }
  return true
}

/**
 * A view that opens its snapshot at the first read and records which subjects an answer depends on.
 * The subjects are those of `state/machine/versions.ts`: a change of a node must also bump the subjects of
 * the services on it, because their answers contain its address.
 */
export class RecordingView implements View {
  readonly slots: number[] = []
  /** The name belongs to a template, which has answers for any number of names. */
  isOfTemplate = false
  readonly #open: () => Snapshot
  readonly #slotsOf: SubjectSlots
  readonly #counters: Readonly<Record<OtherFamily, FamilyCounters>>
  readonly #others = new Map<OtherFamily, Set<number>>()
  #snapshot: Snapshot | undefined
  /** The last service that was looked up, so that it is read once. */
  #lookedUp: { readonly name: string; readonly found: ServiceLookup | undefined } | undefined
  /** What the view had hidden from earlier questions. */
  #hiddenBefore = 0

  constructor(
    open: () => Snapshot,
    slotsOf: SubjectSlots,
    counters: Readonly<Record<OtherFamily, FamilyCounters>>,
  ) {
    this.#open = open
    this.#slotsOf = slotsOf
    this.#counters = counters
  }

  service(name: string): readonly Endpoint[] | undefined {
    if (this.#lookedUp?.name === name) return this.#lookedUp.found?.endpoints()
    return this.#read(`service:${name.toLowerCase()}`).service(name)
  }

  lookUp(name: string): ServiceLookup | undefined {
    const view = this.#read(`service:${name.toLowerCase()}`)
    if (view.lookUp === undefined) return undefined
    const found = view.lookUp(name)
    this.#lookedUp = { name, found }
    return found
  }

  serviceNames(limit: number, isWanted: (name: string) => boolean): readonly string[] {
    return this.#read('services').serviceNames(limit, isWanted)
  }

  node(name: string): NodeEntry | undefined {
    return this.#read(`node:${name.toLowerCase()}`).node(name)
  }

  nodeById(id: string): NodeEntry | undefined {
    return this.#read('nodes').nodeById(id)
  }

  // Any node or service may get an address, so these answers are valid until anything changes.
  holders(ip: IpBytes): readonly Holder[] {
    return this.#read('anything').holders(ip)
  }

  hasAddressBelow(prefix: string): boolean {
    return this.#read('anything').hasAddressBelow(prefix)
  }

  servers(): readonly NodeEntry[] {
    return this.#read('service:consul').servers()
  }

  hasNodeBelow(suffix: string): boolean {
    return this.#read('nodes').hasNodeBelow(suffix)
  }

  query(name: string): Queried {
    const queried = this.#opened().view.query(name)
    const slots = this.#others.get('query') ?? new Set()
    this.#others.set('query', slots)
    for (const subject of queried.subjects) slots.add(this.#counters.query.slotOf(subject))
    const { target } = queried
    if (target === undefined) return queried
    this.isOfTemplate ||= target.isOfTemplate
    this.#read(`service:${target.service.toLowerCase()}`)
    return queried
  }

  // The lock of a key ends with its session, and a session keeps its node: the key is all that counts.
  lockHolder(key: string): string | undefined {
    const { view } = this.#opened()
    const slots = this.#others.get('kv') ?? new Set()
    this.#others.set('kv', slots)
    slots.add(this.#counters.kv.slotOf(`key:${key}`))
    return view.lockHolder(key)
  }

  /** Whether something was left out that may not be shown. */
  get hasHidden(): boolean {
    const hidden = this.#snapshot?.view.hidden ?? 0
    return hidden > this.#hiddenBefore
  }

  /** Of the other families that were read. */
  dependences(): readonly Dependence[] | undefined {
    const snapshot = this.#snapshot
    if (snapshot === undefined || this.#others.size === 0) return undefined
    return [...this.#others].map(([family, slots]) => ({
      counters: this.#counters[family],
      slots: [...slots],
      checked: snapshot.others[family],
    }))
  }

  /** The versions of the state that was read; `generation` if nothing was read. */
  loaded(generation: number): { readonly generation: number; readonly since: number } {
    const snapshot = this.#snapshot
    if (snapshot === undefined) return { generation, since: 0 }
    // If the zone is newer than the snapshot, the older number invalidates the answer, which costs a read.
    return { generation: snapshot.generation, since: snapshot.applied }
  }

  #read(subject: string): View {
    const { view } = this.#opened()
    const slot = this.#slotsOf.slotOf(subject)
    if (!this.slots.includes(slot)) this.slots.push(slot)
    return view
  }

  #opened(): Snapshot {
    if (this.#snapshot === undefined) {
      this.#snapshot = this.#open()
      this.#hiddenBefore = this.#snapshot.view.hidden ?? 0
    }
    return this.#snapshot
  }
}
