import { must } from '../../base/assert.ts'

/** The subject that every change of a family moves. */
export const anySubject = 'anything'

const generationSlot = 0
const indexSlot = 1
const ringHeadSlot = 2
const awaitedSlot = 3
const firstRegionSlot = 4
/** So many that of ten thousand services few share one: each change voids the answers of its slot. */
const subjectSlots = 65_536
/** Of each region: its counter of batches, then the slots of its subjects. */
const regionSlots = 1 + subjectSlots
/** Slots that were bumped last, for who must not look through all of them. */
const ringSize = 4096

/**
 * Shared-memory versions by which readers on other threads know that what they cached still holds. Each
 * family of state has a region of its own, so that a write to one voids nothing of another.
 *
 * Writer (the replica thread): COMMIT, then {@link bump} — never before the COMMIT, or readers would
 * keep what they read in between for ever. Reader: load {@link FamilyVersions.applied} *first*, then read
 * the family, then keep the result together with that number; it holds while no subject's slot is newer
 * than it ({@link FamilyVersions.holds}) and {@link generation} is the one loaded first.
 *
 * A slot carries the value that `applied` takes with the batch that changed it, so one number is
 * enough to judge any set of subjects of a family. Two subjects may share a slot: that costs a needless
 * read, never a stale one.
 */
export class Versions {
  readonly buffer: SharedArrayBuffer
  readonly #slots: Int32Array
  readonly #ring: Int32Array
  readonly #families: ReadonlyMap<string, FamilyVersions>

  /** `families`: the names of all of them, in the same order on each thread. */
  constructor(families: readonly string[], buffer?: SharedArrayBuffer) {
    const slots = firstRegionSlot + families.length * regionSlots
    this.buffer = buffer ?? new SharedArrayBuffer((slots + ringSize) * 4)
    this.#slots = new Int32Array(this.buffer, 0, slots)
    this.#ring = new Int32Array(this.buffer, slots * 4, ringSize)
    this.#families = new Map(
      families.map((name, at) => [
        name,
        new FamilyVersions(this.#slots, firstRegionSlot + at * regionSlots),
      ]),
    )
  }

  /** The versions of one family. */
  of(family: string): FamilyVersions {
    return must(this.#families.get(family), 'the family is listed')
  }

  /** Moves when everything cached is void: configuration, zones, restore, leader contact. */
  get generation(): number {
    return Atomics.load(this.#slots, generationSlot)
  }

  bumpGeneration(): void {
    Atomics.add(this.#slots, generationSlot, 1)
  }

  /** The log index of the newest entry applied, modulo 2^32: the same on all servers, and it rises. */
  get index(): number {
    return Atomics.load(this.#slots, indexSlot) >>> 0
  }

  /** To be set by the one writer, after the COMMIT and before {@link bump}. */
  set index(index: number) {
    Atomics.store(this.#slots, indexSlot, index | 0)
  }

  /**
   * Whether the writer must say when it has bumped something. Who waits sets it before it looks whether what it
   * waits for has changed already; the writer looks after the bump. So one of the two sees the other.
   */
  get isAwaited(): boolean {
    return Atomics.load(this.#slots, awaitedSlot) === 1
  }

  set isAwaited(isAwaited: boolean) {
    Atomics.store(this.#slots, awaitedSlot, Number(isAwaited))
  }

  /** To be called by the one writer, after the COMMIT that changed these subjects, by family. */
  bump(subjects: ReadonlyMap<string, Iterable<string>>): void {
    for (const [family, names] of subjects) this.of(family).bump(names, this.#note)
  }

  /** Everything has changed, as after a restore: wakes all who wait and voids all that is cached. */
  bumpAll(): void {
    for (const versions of this.#families.values()) versions.bumpAll()
    this.bumpGeneration()
    // More than the ring holds: who follows it looks through all.
    Atomics.add(this.#slots, ringHeadSlot, ringSize + 1)
  }

  /** A place in the sequence of bumped slots, for {@link bumpedSince}. */
  get head(): number {
    return Atomics.load(this.#slots, ringHeadSlot)
  }

  /** The slots that were bumped since `head` was read; undefined when they are too many to tell. */
  bumpedSince(head: number): readonly number[] | undefined {
    const end = this.head
    const count = (end - head) | 0
    if (count > ringSize) return undefined
    const slots = Array.from({ length: count }, (_, at) =>
      Atomics.load(this.#ring, (head + at) & (ringSize - 1)),
    )
    // The writer may have come around while they were read.
    return ((this.head - head) | 0) > ringSize ? undefined : slots
  }

  readonly #note = (slot: number): void => {
    const head = Atomics.load(this.#slots, ringHeadSlot)
    Atomics.store(this.#ring, head & (ringSize - 1), slot)
    Atomics.store(this.#slots, ringHeadSlot, (head + 1) | 0)
  }
}

/** The versions of one family; see {@link Versions}. */
export class FamilyVersions {
  readonly #slots: Int32Array
  readonly #first: number

  constructor(slots: Int32Array, first: number) {
    this.#slots = slots
    this.#first = first
  }

  /** As {@link Versions.generation}. */
  get generation(): number {
    return Atomics.load(this.#slots, generationSlot)
  }

  /** As {@link Versions.index}. */
  get index(): number {
    return Atomics.load(this.#slots, indexSlot) >>> 0
  }

  /** Counts the batches that changed the family; wraps around at 2^32. */
  get applied(): number {
    return Atomics.load(this.#slots, this.#first)
  }

  /** The slot of a subject: FNV-1a over its UTF-16 units. {@link anySubject} has that of every change. */
  slotOf(name: string): number {
    if (name === anySubject) return this.#first
    let hash = 0x811c9dc5
    for (let at = 0; at < name.length; at++)
      hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
    return this.#first + 1 + ((hash >>> 0) % subjectSlots)
  }

  /** Whether what was read after loading `applied` as `since` is still current for `slot`. */
  holds(slot: number, since: number): boolean {
    // The difference, not the order, so that the counter may wrap.
    return ((Atomics.load(this.#slots, slot) - since) | 0) <= 0
  }

  /** For {@link Versions.bump}. */
  bump(names: Iterable<string>, note: (slot: number) => void): void {
    const next = (this.applied + 1) | 0
    for (const name of names) {
      const slot = this.slotOf(name)
      Atomics.store(this.#slots, slot, next)
      note(slot)
    }
    Atomics.store(this.#slots, this.#first, next)
    note(this.#first)
  }

  /** For {@link Versions.bumpAll}. */
  bumpAll(): void {
    const next = (this.applied + 1) | 0
    this.#slots.fill(next, this.#first + 1, this.#first + regionSlots)
    Atomics.store(this.#slots, this.#first, next)
  }
}
