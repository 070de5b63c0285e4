const slotsMin = 64
/** Of each slot: the hash, and the value + 1 (0: the slot is free). */
const slotWords = 2

/**
 * Numbers by hash: a table with linear probing that takes no object for an entry. At most half of its
 * slots are used. It grows and shrinks with its contents.
 */
export class HashIndex {
  #table = new Int32Array(0)
  #mask = -1
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The memory that it takes. */
  get bytes(): number {
    return this.#table.byteLength
  }

  /** The memory that it would take with one entry more. */
  get bytesNext(): number {
    return this.#hasRoom() ? this.bytes : 4 * slotWords * Math.max(slotsMin, 2 * this.slots)
  }

  get slots(): number {
    return this.#mask + 1
  }

  /** The first slot with this hash; -1 if there is none. */
  first(hash: number): number {
    return this.#mask < 0 ? -1 : this.#from(hash, hash & this.#mask)
  }

  /** The next slot with this hash. */
  after(hash: number, slot: number): number {
    return this.#from(hash, (slot + 1) & this.#mask)
  }

  valueAt(slot: number): number {
    return (this.#table[slot * slotWords + 1] ?? 0) - 1
  }

  setValue(slot: number, value: number): void {
    this.#table[slot * slotWords + 1] = value + 1
  }

  /** The slot of an entry; -1 if there is none. */
  slotOf(hash: number, value: number): number {
    let slot = this.first(hash)
    while (slot >= 0 && this.valueAt(slot) !== value) slot = this.after(hash, slot)
    return slot
  }

  add(hash: number, value: number): void {
    if (!this.#hasRoom()) this.#resize(Math.max(slotsMin, 2 * this.slots))
    this.#put(hash, value)
    this.#size++
  }

  /** Frees a slot. Entries behind it move up, so that none is behind a free slot. */
  remove(slot: number): void {
    const table = this.#table
    const mask = this.#mask
    let hole = slot
    for (
      let next = (slot + 1) & mask;
      table[next * slotWords + 1] !== 0;
      next = (next + 1) & mask
    ) {
      const home = (table[next * slotWords] ?? 0) & mask
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      table.copyWithin(hole * slotWords, next * slotWords, (next + 1) * slotWords)
      hole = next
    }
    table[hole * slotWords + 1] = 0
    this.#size--
  }

  /** Gives memory back that few entries would take. */
  shrink(): void {
    let { slots } = this
    while (slots > slotsMin && this.#size * 8 <= slots) slots >>= 1
    if (this.#size === 0) slots = 0
    if (slots < this.slots) this.#resize(slots)
  }

  #hasRoom(): boolean {
    return (this.#size + 1) * 2 <= this.slots
  }

  #from(hash: number, start: number): number {
    const table = this.#table
    for (let slot = start; ; slot = (slot + 1) & this.#mask) {
      if (table[slot * slotWords + 1] === 0) return -1
      if (table[slot * slotWords] === hash) return slot
    }
  }

  #resize(slots: number): void {
    const before = this.#table
    this.#table = new Int32Array(slots * slotWords)
    this.#mask = slots - 1
    for (let at = 0; at < before.length; at += slotWords) {
      const value = before[at + 1] ?? 0
      if (value !== 0) this.#put(before[at] ?? 0, value - 1)
    }
  }

  #put(hash: number, value: number): void {
    const table = this.#table
    let slot = hash & this.#mask
    while (table[slot * slotWords + 1] !== 0) slot = (slot + 1) & this.#mask
    table[slot * slotWords] = hash
    table[slot * slotWords + 1] = value + 1
  }
}
