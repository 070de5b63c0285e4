import type { Segment } from './answer-memory.ts'
import { PackedAnswer, place, wholeWords } from './packed-answer.ts'
import type { Name } from './name.ts'
import type { Dependence } from './recording-view.ts'

/** The versions that an answer was built from, which determine how long it is valid. */
export interface Validity {
  readonly generation: number
  readonly mode: string
  /** The slots of the subjects that it depends on. */
  readonly slots: readonly number[]
  /** `applied` as loaded before they were read. */
  readonly since: number
  /** The subjects of families other than the catalog that the answer depends on. */
  readonly others?: readonly Dependence[] | undefined
}

/** What only few answers have, as an object beside the memory. */
export interface Extras {
  readonly outside: Name | undefined
  readonly others: readonly Dependence[] | undefined
}

// The word `state`: the variant, how often the answer was queried, whether since the cache was last aged,
// whether it was removed, and whether it is in the main queue.
const variantMask = 0xff
const usesUnit = 0x100
export const usesMax = 3
const usesMask = usesMax * usesUnit
const recentFlag = 0x400
const deadFlag = 0x800
const mainFlag = 0x1000

/** Stands for one answer of the cache after the other, so that a look-up allocates nothing. */
export class KeptAnswer extends PackedAnswer {
  address = -1
  others: readonly Dependence[] | undefined

  constructor() {
    super({ bytes: new Uint8Array(0), words: new Int32Array(0) }, 0)
  }

  pointTo(segment: Segment, start: number, address: number): void {
    this.moveTo(segment, start)
    this.address = address
  }

  /** Copies an answer to where this object points; it must have room there. */
  write(answer: PackedAnswer, { generation, since, slots }: Validity, mode: number): void {
    const [capacity, hash, state] = [this.capacity, this.hash, this.state]
    answer.copyTo(this.memory, this.start)
    this.setWord(place.capacity, capacity)
    this.setWord(place.hash, hash)
    this.state = state
    this.setWord(place.generation, generation)
    this.setWord(place.slots, slots.length | (mode << 16))
    this.checked = since
    const slotsAt = answer.octets / 4
    for (let at = 0; at < slots.length; at++) this.setWord(slotsAt + at, slots[at] ?? 0)
    this.moveTo(this.memory, this.start)
  }

  /** Copies an answer of the same capacity to where this object points. */
  copyFrom({ words }: Segment, start: number): void {
    const end = start + (words[start + place.capacity] ?? 0) / 4
    this.memory.words.set(words.subarray(start, end), this.start)
    this.moveTo(this.memory, this.start)
  }

  /** The octets that it may take where it is. */
  get capacity(): number {
    return this.word(place.capacity)
  }

  set capacity(octets: number) {
    this.setWord(place.capacity, octets)
  }

  get hash(): number {
    return this.word(place.hash)
  }

  set hash(hash: number) {
    this.setWord(place.hash, hash)
  }

  get state(): number {
    return this.word(place.state)
  }

  set state(state: number) {
    this.setWord(place.state, state)
  }

  get variant(): number {
    return this.state & variantMask
  }

  /** How often it was queried, up to 3. */
  get uses(): number {
    return (this.state & usesMask) / usesUnit
  }

  set uses(uses: number) {
    this.state = (this.state & ~usesMask) | (uses * usesUnit)
  }

  noteUse(): void {
    const { state } = this
    const uses = state & usesMask
    const next = (state | recentFlag) + (uses < usesMask ? usesUnit : 0)
    if (next !== state) this.state = next
  }

  /** Whether it was queried since the last {@link forgetRecent}. */
  get isRecent(): boolean {
    return (this.state & recentFlag) !== 0
  }

  forgetRecent(): void {
    this.state &= ~recentFlag
  }

  get isDead(): boolean {
    return (this.state & deadFlag) !== 0
  }

  die(): void {
    this.state |= deadFlag
  }

  get isInMain(): boolean {
    return (this.state & mainFlag) !== 0
  }

  set isInMain(isInMain: boolean) {
    this.state = (this.state & ~mainFlag) | (isInMain ? mainFlag : 0)
  }

  /** The place of its extras + 1; 0 if it has none. */
  get extras(): number {
    return this.word(place.extras)
  }

  set extras(at: number) {
    this.setWord(place.extras, at)
  }

  /** `applied` when the slots were last found unchanged. */
  get checked(): number {
    return this.word(place.checked)
  }

  set checked(applied: number) {
    this.setWord(place.checked, applied)
  }

  get generation(): number {
    return this.word(place.generation)
  }

  /** The number of the mode. */
  get mode(): number {
    return this.word(place.slots) >>> 16
  }

  get slotCount(): number {
    return this.word(place.slots) & 0xffff
  }

  slot(at: number): number {
    const message = wholeWords(this.word(place.length)) / 4
    return this.word(this.headWords + message + at)
  }
}
