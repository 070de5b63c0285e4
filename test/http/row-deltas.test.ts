import t from 'tap'
import { RowDeltas } from '../../src/http/row-deltas.ts'

interface Row {
  readonly id: string
  readonly n: number
}

function deltas(): RowDeltas {
  return new RowDeltas((row) => [(row as Row).id])
}

function take(of: RowDeltas, rows: readonly (Row | undefined)[]): boolean {
  const steps = of.take(rows)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** A reader that keeps the list by the events that it gets. */
class Copy {
  #has = 0
  readonly #of: RowDeltas
  readonly #rows = new Map<string, Row>()

  constructor(of: RowDeltas) {
    this.#of = of
  }

  read(): { readonly sent: number; readonly rows: readonly Row[] } {
    const event = JSON.parse(this.#of.since(this.#has).toString()) as {
      Whole: boolean
      Changed: readonly Row[]
      Removed: readonly (readonly [string])[]
    }
    this.#has = this.#of.version
    if (event.Whole) this.#rows.clear()
    for (const [id] of event.Removed) this.#rows.delete(id)
    for (const row of event.Changed) this.#rows.set(row.id, row)
    const rows = [...this.#rows.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return { sent: event.Changed.length + event.Removed.length, rows }
  }
}

t.test('a reader gets the whole list first, and then only what changed', async (t) => {
  const of = deltas()
  const [a, b] = [
    { id: 'a', n: 1 },
    { id: 'b', n: 1 },
  ]
  t.ok(take(of, [a, undefined, b]))
  const copy = new Copy(of)
  t.strictSame(copy.read(), { sent: 2, rows: [a, b] })
  t.notOk(take(of, [a, { ...b }]), 'rows that are made anew may be the same')
  t.ok(take(of, [a, { id: 'b', n: 2 }]))
  t.strictSame(copy.read(), { sent: 1, rows: [a, { id: 'b', n: 2 }] })
  t.ok(take(of, [{ id: 'b', n: 2 }]))
  t.strictSame(copy.read(), { sent: 1, rows: [{ id: 'b', n: 2 }] }, 'removed')
  t.ok(take(of, [a, { id: 'b', n: 2 }]), 'it is back')
  t.strictSame(copy.read().rows, [a, { id: 'b', n: 2 }])
})

t.test('a list without rows is a state, too', async (t) => {
  const of = deltas()
  t.equal(of.version, 0)
  t.ok(take(of, []))
  t.equal(of.version, 1)
  t.equal(of.since(0).toString(), '{"Whole":true,"Changed":[],"Removed":[]}')
  t.notOk(take(of, []))
})

t.test('readers that read at different times all end with the list as it is', async (t) => {
  const of = deltas()
  const copies = [new Copy(of), new Copy(of), new Copy(of)] as const
  let seed = 42
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  let rows: readonly Row[] = []
  for (let step = 1; step <= 2000; step++) {
    const id = `row-${String(random(30)).padStart(2, '0')}`
    const others = rows.filter((row) => row.id !== id)
    const row = { id, n: random(3) }
    rows = random(3) === 0 ? others : [...others, row].toSorted((x, y) => (x.id < y.id ? -1 : 1))
    take(of, rows)
    for (const [at, copy] of copies.entries()) {
      if (random(2 + at * 20) === 0) t.strictSame(copy.read().rows, rows, `after ${step} changes`)
    }
  }
})

t.test('a reader who is very far behind gets the whole list again', async (t) => {
  const of = deltas()
  const many = Array.from({ length: 10_001 }, (_none, at) => ({ id: `gone-${at}`, n: 0 }))
  take(of, many)
  const copy = new Copy(of)
  copy.read()
  take(of, [{ id: 'left', n: 1 }])
  t.strictSame(copy.read(), { sent: 1, rows: [{ id: 'left', n: 1 }] })
})
