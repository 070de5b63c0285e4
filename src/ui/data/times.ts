import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ChangeTimes } from '../../client/rows.ts'
import { get } from './api.ts'

// When entries of the log were written. An entry never changes, so each is asked for once.

/** Entries that are asked for in one request. */
const entriesMax = 400

/** Lists that change all the time ask no more often than this. */
const restMs = 1000

const known = signal<ReadonlyMap<number, number>>(new Map())
const asked = new Set<number>()

/** The time of a log entry in ms, undefined while it is not known. The agent forgets old ones. */
export function timeOf(index: number): number | undefined {
  return known.value.get(index)
}

/** Asks for the times of log entries, of which {@link timeOf} then tells. */
export function useTimes(indexes: readonly number[]): void {
  const missing = indexes.filter((index) => index > 0 && !asked.has(index)).slice(0, entriesMax)
  const key = missing.join()
  useEffect(() => {
    wanted = missing
    if (missing.length > 0 && !isResting) void askWanted()
  }, [key])
}

/** What the page misses. */
let wanted: readonly number[] = []
let isResting = false

async function askWanted(): Promise<void> {
  const missing = wanted.filter((index) => !asked.has(index))
  if (missing.length === 0) return
  isResting = true
  await ask(missing)
  window.setTimeout(() => {
    isResting = false
    void askWanted()
  }, restMs)
}

async function ask(indexes: readonly number[]): Promise<void> {
  for (const index of indexes) asked.add(index)
  try {
    const search = indexes.map((index) => `entry=${index}`).join('&')
    const { data } = await get<ChangeTimes>(`status/times?${search}`)
    const next = new Map(known.peek())
    for (const [index, text] of Object.entries(data.Times))
      next.set(Number(index), Date.parse(text))
    known.value = next
  } catch {
    // The times are an extra. They are asked for again with the next change.
    for (const index of indexes) asked.delete(index)
  }
}
