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
}

export interface SubjectSlots {
  slotOf(subject: string): number
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
  #snapshot: Snapshot | undefined

  constructor(open: () => Snapshot, slotsOf: SubjectSlots) {
    this.#open = open
    this.#slotsOf = slotsOf
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

  /** The versions of the state that was read; `generation` if nothing was read. */
  loaded(generation: number): { readonly generation: number; readonly since: number } {
    const snapshot = this.#snapshot
    if (snapshot === undefined) return { generation, since: 0 }
    // If the zone is newer than the snapshot, the older number invalidates the answer, which costs a read.
    return { generation: snapshot.generation, since: snapshot.applied }
  }

  #read(subject: string): View {
    this.#snapshot ??= this.#open()
    const slot = this.#slotsOf.slotOf(subject)
    if (!this.slots.includes(slot)) this.slots.push(slot)
    return this.#snapshot.view
  }
}
