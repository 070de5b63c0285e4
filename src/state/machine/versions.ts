/** Subjects whose change readers may wait for or cache by. Names are lower-cased here. */
export const subject = {
  nodes: 'nodes',
  services: 'services',
  checks: 'checks',
  /** Moves with every batch; for what depends on more than can be named. */
  anything: 'anything',
  node: (name: string): string => `node:${name.toLowerCase()}`,
  service: (name: string): string => `service:${name.toLowerCase()}`,
} as const

const generationSlot = 0
const appliedSlot = 1
const indexSlot = 2
const firstSubjectSlot = 3
/** So many that of ten thousand services few share one: each change voids the answers of its slot. */
const subjectSlots = 65_536

/**
 * Shared-memory versions by which readers on other threads know that what they cached still holds.
 *
 * Writer (the replica thread): COMMIT, then {@link bump} — never before the COMMIT, or readers would
 * keep what they read in between for ever. Reader: load {@link applied} *first*, then read the
 * catalog, then keep the result together with that number; it holds while no subject's slot is newer
 * than it ({@link holds}) and {@link generation} is the one loaded first.
 *
 * A slot carries the value that `applied` takes with the batch that changed it, so one number is
 * enough to judge any set of subjects. Two subjects may share a slot: that costs a needless read,
 * never a stale one.
 */
export class Versions {
  readonly buffer: SharedArrayBuffer
  readonly #slots: Int32Array

  constructor(buffer = new SharedArrayBuffer((firstSubjectSlot + subjectSlots) * 4)) {
    this.buffer = buffer
    this.#slots = new Int32Array(buffer)
  }

  /** Moves when everything cached is void: configuration, zones, restore, leader contact. */
  get generation(): number {
    return Atomics.load(this.#slots, generationSlot)
  }

  bumpGeneration(): void {
    Atomics.add(this.#slots, generationSlot, 1)
  }

  /** Counts the batches applied; wraps around at 2^32. */
  get applied(): number {
    return Atomics.load(this.#slots, appliedSlot)
  }

  /** The log index of the newest entry applied, modulo 2^32: the same on all servers, and it rises. */
  get index(): number {
    return Atomics.load(this.#slots, indexSlot) >>> 0
  }

  /** To be set by the one writer, after the COMMIT and before {@link bump}. */
  set index(index: number) {
    Atomics.store(this.#slots, indexSlot, index | 0)
  }

  /** To be called by the one writer, after the COMMIT that changed `subjects`. */
  bump(subjects: Iterable<string>): void {
    const next = (this.applied + 1) | 0
    for (const name of subjects) Atomics.store(this.#slots, this.slotOf(name), next)
    Atomics.store(this.#slots, appliedSlot, next)
  }

  /** Everything has changed, as after a restore: wakes all who wait and voids all that is cached. */
  bumpAll(): void {
    const next = (this.applied + 1) | 0
    for (let slot = firstSubjectSlot; slot < this.#slots.length; slot++) {
      Atomics.store(this.#slots, slot, next)
    }
    this.bumpGeneration()
    Atomics.store(this.#slots, appliedSlot, next)
  }

  /** The slot of a subject: FNV-1a over its UTF-16 units. */
  slotOf(name: string): number {
    if (name === subject.anything) return appliedSlot
    let hash = 0x811c9dc5
    for (let at = 0; at < name.length; at++)
      hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
    return firstSubjectSlot + ((hash >>> 0) % subjectSlots)
  }

  /** Whether what was read after loading `applied` as `since` is still current for `slot`. */
  holds(slot: number, since: number): boolean {
    // The difference, not the order, so that the counter may wrap.
    return ((Atomics.load(this.#slots, slot) - since) | 0) <= 0
  }
}
