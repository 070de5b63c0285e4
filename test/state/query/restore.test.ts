import fc from 'fast-check'
import t from 'tap'
import type { PreparedQuery } from '../../../src/state/query/model.ts'
import { restoreQueries } from '../../../src/state/query/restore.ts'
import { MemoryQueries, queryDefinition, templateDefinition } from '../../helpers/queries.ts'

const one = fc.record({
  number: fc.integer({ min: 1, max: 4 }),
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  ttl: fc.constantFrom('', '5s'),
  isTemplate: fc.boolean(),
})
const content = fc.array(one, { maxLength: 6 })

function stored(rows: readonly (typeof one extends fc.Arbitrary<infer T> ? T : never)[]) {
  const queries = new MemoryQueries()
  for (const { number, name, ttl, isTemplate } of rows) {
    const text = { name, dns: { ttl } }
    queries.put(number, isTemplate ? templateDefinition(name, text) : queryDefinition(text))
  }
  return queries
}

const all = ({ reader }: MemoryQueries): string =>
  JSON.stringify(
    [...reader.queries()].map((query) => ({ ...query, createIndex: 0, modifyIndex: 0 })),
  )

t.test(
  'a restore makes any queries the archived ones, and touches what is equal not',
  async (t) => {
    const run = fc.property(content, content, (archived, present) => {
      const [from, to] = [stored(archived), stored(present)]
      const before = new Map<string, PreparedQuery>()
      for (const query of to.reader.queries()) before.set(query.id, query)
      for (const bodies of restoreQueries(from.reader, to.reader)) {
        for (const body of bodies ?? []) to.apply(body)
      }
      for (const query of from.reader.queries()) {
        const { createIndex: _c, modifyIndex: _m, ...definition } = query
        const earlier = before.get(query.id)
        if (earlier === undefined) continue
        const { createIndex: _e, modifyIndex, ...was } = earlier
        const isSame = JSON.stringify(was) === JSON.stringify(definition)
        if (isSame && to.reader.query(query.id)?.modifyIndex !== modifyIndex) return false
      }
      return all(from) === all(to)
    })
    fc.assert(run, { numRuns: 60 })
    t.pass()
  },
)
