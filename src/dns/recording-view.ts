import type { IpBytes } from '../base/ip.ts'
import type { Endpoint, Holder, NodeEntry, View } from './view.ts'

/** A view of the registry at one moment, and the versions that held when it was opened. */
export interface Snapshot {
  readonly view: View
  /**
   * `generation` and `applied` of the versions, loaded *before* the read transaction behind `view`
   * began. A snapshot that serves a batch of questions keeps those of its beginning.
   */
  readonly generation: number
  readonly applied: number
  /** As `applied`, for the families other than the catalog. */
  readonly appliedOf: Readonly<Record<OtherFamily, number>>
}

/** The families of the state, other than the catalog, that some answers are made from. */
export type OtherFamily = 'kv'

export interface SubjectSlots {
  slotOf(subject: string): number
}

/** Counters that show readers what has changed in one family; `state/machine/versions.ts` implements it. */
export interface FamilyCounters extends SubjectSlots {
  readonly applied: number
  holds(slot: number, since: number): boolean
}

export type OtherCounters = Readonly<Record<OtherFamily, FamilyCounters>>

/** What an answer depends on in a family other than the catalog. */
export interface Dependence {
  readonly counters: FamilyCounters
  /** The slots of its subjects. */
  readonly slots: readonly number[]
  /** `applied` of the family as loaded before they were read. */
  readonly since: number
}

/**
 * A view that opens its snapshot at the first read and records which subjects an answer depends on.
 * The subjects are those of `state/machine/versions.ts`: a change of a node must also bump the subjects of
 * the services on it, because their answers contain its address.
 */
export class RecordingView implements View {
  readonly slots: number[] = []
  readonly #open: () => Snapshot
  readonly #slotsOf: SubjectSlots
  readonly #counters: OtherCounters
  readonly #others = new Map<OtherFamily, number[]>()
  #snapshot: Snapshot | undefined

  /** `slotsOf` is for the subjects of the catalog, `counters` for those of the other families. */
  constructor(open: () => Snapshot, slotsOf: SubjectSlots, counters: OtherCounters) {
    this.#open = open
    this.#slotsOf = slotsOf
    this.#counters = counters
  }

  service(name: string): readonly Endpoint[] | undefined {
    return this.#read(`service:${name.toLowerCase()}`).service(name)
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

  // The lock of a key ends with its session, and a session keeps its node: the key is all that counts.
  lockHolder(key: string): string | undefined {
    return this.#readOther('kv', `key:${key}`).lockHolder(key)
  }

  /** The versions of the state that was read; `generation` if nothing was read. */
  loaded(generation: number): { readonly generation: number; readonly since: number } {
    const snapshot = this.#snapshot
    if (snapshot === undefined) return { generation, since: 0 }
    // If the zone is newer than the snapshot, the older number invalidates the answer, which costs a read.
    return { generation: snapshot.generation, since: snapshot.applied }
  }

  /** The reads of families other than the catalog. Most answers have none. */
  dependences(): readonly Dependence[] {
    const snapshot = this.#snapshot
    if (snapshot === undefined) return []
    return [...this.#others].map(([family, slots]) => ({
      counters: this.#counters[family],
      slots,
      since: snapshot.appliedOf[family],
    }))
  }

  #read(subject: string): View {
    this.#snapshot ??= this.#open()
    const slot = this.#slotsOf.slotOf(subject)
    if (!this.slots.includes(slot)) this.slots.push(slot)
    return this.#snapshot.view
  }

  #readOther(family: OtherFamily, subject: string): View {
    this.#snapshot ??= this.#open()
    const slots = this.#others.get(family) ?? []
    this.#others.set(family, slots)
    const slot = this.#counters[family].slotOf(subject)
    if (!slots.includes(slot)) slots.push(slot)
    return this.#snapshot.view
  }
}
