import { useEffect, useReducer, useRef } from 'preact/hooks'
import { parameters } from '../data/location.ts'
import { steadyOrder } from '../core/steady-order.ts'

/** How long after the last movement the rows keep their order. */
const heldMs = 4000

export interface Steady<Row> {
  readonly rows: readonly Row[]
  /** To be called when the reader moves the pointer over the rows, or uses a key in them. */
  readonly hold: () => void
}

interface Held<Row> {
  until: number
  timer: number
  place: string
  order: readonly string[]
  last: { readonly given: readonly Row[]; readonly shown: readonly Row[] } | undefined
}

/** Rows that do not change their places while somebody points at them. Another query or order moves them immediately. */
export function useSteady<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Steady<Row> {
  const [, draw] = useReducer((count: number) => count + 1, 0)
  const place = parameters.value.toString()
  const state = useRef<Held<Row>>({ until: 0, timer: 0, place, order: [], last: undefined })
  useEffect(() => () => window.clearTimeout(state.current.timer), [])
  const held = state.current
  const isHeld = held.place === place && Date.now() < held.until
  if (!isHeld || held.last?.given !== rows) {
    const shown = isHeld ? steadyOrder(rows, keyOf, held.order) : rows
    held.last = { given: rows, shown }
    held.order = shown.map(keyOf)
  }
  held.place = place
  const hold = (): void => {
    held.until = Date.now() + heldMs
    window.clearTimeout(held.timer)
    held.timer = window.setTimeout(() => draw(undefined), heldMs + 50)
  }
  return { rows: held.last?.shown ?? rows, hold }
}
