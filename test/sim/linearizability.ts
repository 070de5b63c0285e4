import { must } from '../../src/base/assert.ts'

export type Verdict = 'linearizable' | 'violation' | 'unknown'

/** One operation on one key. One without an end may take effect at any later time, or never. */
export interface Interval {
  readonly key: string
  readonly invokedMs: number
  /** Infinity: it never returned. */
  readonly returnedMs: number
}

/** What an object does, one operation after the other. */
export interface Model<Op extends Interval, State> {
  readonly initial: State
  /** The state after an operation; undefined: it cannot have had its result in this one. */
  next(state: State, operation: Op): State | undefined
  /** Another text for each state that behaves differently. */
  name(state: State): string | number
  /** It changes nothing. One that never returned told no one anything. */
  isRead(operation: Op): boolean
}

/**
 * Is there an order of the operations that agrees with real time and explains every result? Wing and
 * Gong's search with Lowe's memo of the states already tried, for each key by itself (a history is
 * linearizable when each object's is). `unknown` after `stepsMax` steps for a key.
 */
export function checkHistory<Op extends Interval, State>(
  operations: readonly Op[],
  model: Model<Op, State>,
  stepsMax = 300_000,
): Verdict {
  const keys = new Map<string, Op[]>()
  for (const operation of operations) {
    if (operation.returnedMs === Infinity && model.isRead(operation)) continue
    const ofKey = keys.get(operation.key) ?? []
    ofKey.push(operation)
    keys.set(operation.key, ofKey)
  }
  let worst: Verdict = 'linearizable'
  for (const ofKey of keys.values()) {
    const verdict = checkKey(ofKey, model, stepsMax)
    if (verdict === 'violation') return verdict
    if (verdict === 'unknown') worst = verdict
  }
  return worst
}

/** A point in time of the history, in a doubly linked list from which operations are lifted out. */
interface Point {
  readonly operation: number
  readonly isCall: boolean
  readonly atMs: number
  next: Point | undefined
  previous: Point | undefined
}

interface Step<State> {
  readonly call: Point
  readonly stateBefore: State
}

function checkKey<Op extends Interval, State>(
  unordered: readonly Op[],
  model: Model<Op, State>,
  stepsMax: number,
): Verdict {
  // Those that are done and those that are not then stand apart, which keeps the names of the memo short.
  const operations = unordered.toSorted((a, b) => a.invokedMs - b.invokedMs)
  const { head, returnOf } = pointsOf(operations)
  const done = new DoneSet(operations.length)
  const seen = new Set<string>()
  const stack: Step<State>[] = []
  let state = model.initial
  let left = operations.filter((operation) => operation.returnedMs !== Infinity).length
  let point = head.next
  for (let steps = 0; left > 0; steps++) {
    if (steps > stepsMax) return 'unknown'
    if (point?.isCall === true) {
      const { operation: id } = point
      const operation = must(operations[id])
      const after = model.next(state, operation)
      if (after !== undefined) {
        done.flip(id)
        const name = `${model.name(after)}:${done.name}`
        if (!seen.has(name)) {
          seen.add(name)
          stack.push({ call: point, stateBefore: state })
          state = after
          if (operation.returnedMs !== Infinity) left--
          lift(point, returnOf[id])
          point = head.next
          continue
        }
        done.flip(id)
      }
      point = point.next
      continue
    }
    // Nothing more can come before this return: take back the last step that another might have replaced. A read
    // changes nothing, so one that fits is never done too early.
    for (;;) {
      const last = stack.pop()
      if (last === undefined) return 'violation'
      const { operation: id } = last.call
      const operation = must(operations[id])
      state = last.stateBefore
      done.flip(id)
      if (operation.returnedMs !== Infinity) left++
      unlift(last.call, returnOf[id])
      point = last.call.next
      if (!model.isRead(operation)) break
    }
  }
  return 'linearizable'
}

const allDone = -1

/** A bit for each operation. */
class DoneSet {
  readonly #words: Int32Array
  /** Words before it have all bits set, words from `#end` on have none. */
  #first = 0
  #end = 0

  constructor(count: number) {
    this.#words = new Int32Array(Math.ceil(count / 32) + 1)
  }

  flip(at: number): void {
    const word = at >> 5
    this.#words[word] = must(this.#words[word]) ^ (1 << (at & 31))
    this.#first = Math.min(this.#first, word)
    this.#end = Math.max(this.#end, word + 1)
    while (this.#words[this.#first] === allDone) this.#first++
    while (this.#end > this.#first && this.#words[this.#end - 1] === 0) this.#end--
  }

  /** Another one for each set. */
  get name(): string {
    return `${this.#first}:${this.#words.subarray(this.#first, this.#end).join()}`
  }
}

function pointsOf(operations: readonly Interval[]) {
  const points: Point[] = []
  const returnOf: (Point | undefined)[] = []
  for (const [id, { invokedMs, returnedMs }] of operations.entries()) {
    const link = { operation: id, next: undefined, previous: undefined }
    points.push({ ...link, isCall: true, atMs: invokedMs })
    if (returnedMs === Infinity) continue
    const end = { ...link, isCall: false, atMs: returnedMs }
    returnOf[id] = end
    points.push(end)
  }
  // At the same moment a call comes first: the operations then overlap.
  points.sort((a, b) => a.atMs - b.atMs || Number(b.isCall) - Number(a.isCall))
  const head: Point = {
    operation: -1,
    isCall: true,
    atMs: -1,
    next: undefined,
    previous: undefined,
  }
  let last = head
  for (const point of points) {
    last.next = point
    point.previous = last
    last = point
  }
  return { head, returnOf }
}

function lift(call: Point, end: Point | undefined): void {
  unlink(call)
  if (end !== undefined) unlink(end)
}

function unlift(call: Point, end: Point | undefined): void {
  if (end !== undefined) relink(end)
  relink(call)
}

function unlink(point: Point): void {
  if (point.previous !== undefined) point.previous.next = point.next
  if (point.next !== undefined) point.next.previous = point.previous
}

function relink(point: Point): void {
  if (point.previous !== undefined) point.previous.next = point
  if (point.next !== undefined) point.next.previous = point
}
