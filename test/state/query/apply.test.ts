import t from 'tap'
import type { FamilyBody } from '../../../src/state/families.ts'
import {
  MemoryQueries,
  queryDefinition,
  queryId,
  templateDefinition,
} from '../../helpers/queries.ts'
import { registerNode, sessionCreate } from '../../helpers/sessions.ts'

t.test('a query is added, replaced and removed, and the sums stay those of the rows', async (t) => {
  const queries = new MemoryQueries()
  const [id, one] = [queryId(1), queryDefinition({ name: 'One' })]
  const put = (mode: 'create' | 'update', definition = one): unknown =>
    queries.apply({ kind: 'query-put', id, mode, definition }).refusal
  t.equal(put('update'), 'unknown-query')
  t.equal(put('create'), undefined)
  t.equal(put('create'), 'taken-id')
  t.match(queries.reader.query(id), { ...one, id, createIndex: 2, modifyIndex: 2 })
  t.equal(put('update'), undefined)
  t.equal(queries.reader.query(id)?.modifyIndex, 2, 'nothing was new')
  const changed = queryDefinition({ name: 'One', dns: { ttl: '5s' } })
  t.equal(put('update', changed), undefined)
  t.match(queries.reader.query(id), { ...changed, createIndex: 2, modifyIndex: 5 })
  t.strictSame(...queries.state.sums())
  t.equal(queries.delete(1), undefined)
  t.equal(queries.delete(1), 'unknown-query')
  t.equal(queries.reader.query(id), undefined)
  t.strictSame(...queries.state.sums())
})

t.test('a name belongs to one query, in any case, and is no ID', async (t) => {
  const queries = new MemoryQueries()
  t.equal(queries.put(1, queryDefinition({ name: 'web' })), undefined)
  t.equal(queries.put(2, queryDefinition({ name: 'WEB' })), 'taken-name')
  t.equal(queries.put(2, templateDefinition('Web')), 'taken-name')
  t.equal(queries.put(2, queryDefinition({ name: queryId(1) })), 'name-of-id')
  t.equal(queries.put(1, queryDefinition({ name: queryId(1).toUpperCase() })), 'name-of-id')
  t.equal(queries.put(2, queryDefinition({ name: queryId(3) })), undefined)
  t.equal(queries.put(4, templateDefinition('')), undefined)
  t.equal(queries.put(5, templateDefinition('')), 'taken-wildcard')
  t.equal(queries.put(4, templateDefinition('', { dns: { ttl: '1s' } })), undefined)
  t.equal(queries.put(1, queryDefinition({ name: 'db' })), undefined)
  t.equal(queries.put(6, queryDefinition({ name: 'web' })), undefined, 'the name is free')
  t.equal(queries.put(7, queryDefinition({ name: 'x', session: queryId(9) })), 'unknown-session')
  t.strictSame(...queries.state.sums())
})

t.test('an ID, a name and then the template with the longest name are found', async (t) => {
  const queries = new MemoryQueries()
  for (const [n, name] of ['', 'p', 'pre-', 'pre-long', 'pré', '😀', '😁x', 'a.b'].entries()) {
    queries.put(n + 1, templateDefinition(name))
  }
  queries.put(20, queryDefinition({ name: 'Pre-Exact' }))
  const found: Readonly<Record<string, string>> = {
    'pre-exact': 'Pre-Exact',
    'pre-exactly': 'pre-',
    'PRE-LONGER': 'pre-long',
    'pre-lon': 'pre-',
    pr: 'p',
    prä: 'p',
    'PRÉ!': 'pré',
    q: '',
    o: '',
    '😀😀': '😀',
    '😁': '',
    '😂': '',
    'a.b.c': 'a.b',
    a: '',
    [queryId(20)]: 'Pre-Exact',
    [queryId(21)]: '',
  }
  for (const [name, wanted] of Object.entries(found)) t.equal(queries.found(name), wanted, name)
  t.match(queries.reader.find(queryId(3)), { query: undefined, isTemplateById: true })
  t.equal(queries.found(''), undefined)
  t.equal(queries.found('p'.repeat(1001)), undefined)
  queries.delete(1)
  t.equal(queries.found('q'), undefined)
})

t.test('the search for a template skips those that are not prefixes', async (t) => {
  const { db } = new MemoryQueries().state
  const plan = db
    .prepare<[], { detail: string }>(
      `EXPLAIN QUERY PLAN SELECT name_key FROM queries WHERE is_template = 1 AND name_key <= 'x'
       ORDER BY name_key DESC LIMIT 1`,
    )
    .all()
  t.match(plan[0]?.detail, /COVERING INDEX queries_by_template \(name_key<\?\)/)
})

t.test('a change touches what depends on it, and nothing else', async (t) => {
  const queries = new MemoryQueries()
  const put = (number: number, definition = queryDefinition({ name: 'a.b.c' })) =>
    queries.apply({ kind: 'query-put', id: queryId(number), mode: 'any', definition }).subjects
  const one = [
    'queries',
    `query:${queryId(1)}`,
    'query-below:b.c',
    'query-below:c',
    'query-name:a.b.c',
  ].toSorted()
  t.strictSame(put(1), one)
  t.strictSame(put(1), [], 'nothing was new')
  t.strictSame(
    put(2, templateDefinition('Pre')),
    ['queries', `query:${queryId(2)}`, 'query-name:pre', 'query-template:pre'].toSorted(),
  )
  const renamed = put(1, queryDefinition({ name: 'd' }))
  t.strictSame(renamed, [...one, 'query-name:d'].toSorted())
  const { subjects } = queries.apply({ kind: 'query-delete', id: queryId(2) })
  t.ok(subjects.includes('query-template:pre'))
})

t.test('whatever changes the result of a search, touches one of its subjects', async (t) => {
  const names = ['', 'a', 'ab', 'abc', 'x.a', 'b', queryId(1), queryId(2), 'c.x.a']
  const queries = new MemoryQueries()
  let seed = 7
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return (seed >>> 8) % below
  }
  const look = (name: string): string =>
    JSON.stringify([queries.reader.find(name).query, queries.reader.hasBelow(name)])
  const searched = names.filter((name) => name !== '').concat('abcd', 'zzz')
  for (let round = 0; round < 400; round++) {
    const before = searched.map((name) => ({
      name,
      result: look(name),
      subjects: [...queries.reader.find(name).subjects, `query-below:${name}`],
    }))
    const number = 1 + random(3)
    const name = names[random(names.length)] ?? ''
    const dns = { ttl: `${random(2)}s` }
    const definition =
      random(2) === 0 ? queryDefinition({ name, dns }) : templateDefinition(name, { dns })
    const { subjects } =
      random(4) === 0
        ? queries.apply({ kind: 'query-delete', id: queryId(number) })
        : queries.apply({ kind: 'query-put', id: queryId(number), mode: 'any', definition })
    for (const { name: asked, result, subjects: depends } of before) {
      if (look(asked) === result) continue
      if (!depends.some((subject) => subjects.includes(subject))) {
        t.fail(`${asked}: ${result} became ${look(asked)}; touched ${subjects.join(' ')}`)
        return
      }
    }
  }
  t.strictSame(...queries.state.sums())
})

t.test('the index of a list never falls, and that of a removed query neither', async (t) => {
  const queries = new MemoryQueries(2048)
  queries.put(1, queryDefinition({ name: 'a' }))
  queries.put(2, queryDefinition({ name: 'b' }))
  let last = 0
  for (let n = 0; n < 12; n++) {
    const index = queries.reader.indexOf('queries')
    t.ok(index >= last, `${index} after ${last}`)
    last = index
    const one = queries.reader.indexOf(`query:${queryId(1)}`)
    if (n === 3) queries.delete(1)
    else queries.put(2, queryDefinition({ name: 'b', dns: { ttl: `${n}s` } }))
    t.ok(queries.reader.indexOf(`query:${queryId(1)}`) >= one)
  }
})

t.test('a query that is bound to a session goes with it, however it ends', async (t) => {
  const queries = new MemoryQueries()
  const sessionId = '00000000-0000-4000-8000-00000000000a'
  const apply = (body: FamilyBody): readonly string[] => {
    const { subjects } = queries.state.applyAll(body)
    return [...(subjects.get('query') ?? [])]
  }
  const begin = (): void => {
    apply(registerNode('n1', {}))
    apply(sessionCreate(sessionId, { nodeChecks: [] }))
    const bound = queryDefinition({ name: 'bound', session: sessionId.toUpperCase() })
    t.equal(queries.put(1, bound), undefined)
    t.equal(queries.put(2, queryDefinition({ name: 'free' })), undefined)
    t.equal(queries.found('bound'), 'bound')
  }
  begin()
  const touched = apply({ kind: 'session-destroy', id: sessionId })
  t.ok(touched.includes('query-name:bound'), 'those who have cached it look again')
  t.equal(queries.found('bound'), undefined)
  t.equal(queries.found('free'), 'free')
  begin()
  apply({ kind: 'deregister', nodeName: 'n1' })
  t.equal(queries.found('bound'), undefined, 'its node is gone')
  t.equal(queries.put(1, queryDefinition({ name: 'b', session: sessionId })), 'unknown-session')
  t.strictSame(...queries.state.sums())
})
