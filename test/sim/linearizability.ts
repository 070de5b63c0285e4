import { must } from '../../src/base/assert.ts'
import { applyOp } from './history.ts'
import type { Operation } from './history.ts'

export type Verdict = 'linearizable' | 'violation' | 'unknown'

/**
 * Is there an order of the operations that agrees with real time and explains every result? Wing and
 * Gong's search with Lowe's memo of the states already tried, for each key by itself (a history is
 * linearizable when each object's is). `unknown` after `stepsMax` steps.
 */
export function checkHistory(operations: readonly Operation[], stepsMax = 300_000): Verdict {
  const keys = new Map<string, Operation[]>()
  for (const operation of operations) {
    // A read that never returned told no one anything.
    if (operation.op.kind === 'read' && operation.returnedMs === Infinity) continue
    const ofKey = keys.get(operation.key) ?? []
    ofKey.push(operation)
    keys.set(operation.key, ofKey)
  }
  let worst: Verdict = 'linearizable'
  for (const ofKey of keys.values()) {
    const verdict = checkKey(ofKey, stepsMax)
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

interface Step {
  readonly call: Point
  readonly stateBefore: number
}

function checkKey(operations: readonly Operation[], stepsMax: number): Verdict {
  const { head, returnOf } = pointsOf(operations)
  const done = new Uint32Array(Math.ceil(operations.length / 32))
  const seen = new Set<string>()
  const stack: Step[] = []
  let state = 0
  let left = operations.filter((operation) => operation.returnedMs !== Infinity).length
  let point = head.next
  for (let steps = 0; left > 0; steps++) {
    if (steps > stepsMax) return 'unknown'
    if (point?.isCall === true) {
      const { operation: id } = point
      const operation = must(operations[id])
      const after = applyOp(state, operation.op)
      const isPending = operation.returnedMs === Infinity
      if (isPending || after.result === operation.result) {
        flip(done, id)
        const key = `${after.state}:${done.join()}`
        if (!seen.has(key)) {
          seen.add(key)
          stack.push({ call: point, stateBefore: state })
          state = after.state
          if (!isPending) left--
          lift(point, returnOf[id])
          point = head.next
          continue
        }
        flip(done, id)
      }
      point = point.next
      continue
    }
    // Nothing more can come before this return: take the last step back.
    const last = stack.pop()
    if (last === undefined) return 'violation'
    const { operation: id } = last.call
    state = last.stateBefore
    flip(done, id)
    if (must(operations[id]).returnedMs !== Infinity) left++
    unlift(last.call, returnOf[id])
    point = last.call.next
  }
  return 'linearizable'
}

function pointsOf(operations: readonly Operation[]) {
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

function flip(bits: Uint32Array, at: number): void {
  bits[at >> 5] = must(bits[at >> 5]) ^ (1 << (at & 31))
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
