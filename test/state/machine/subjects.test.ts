import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import { forgottenUpTo, goneEntries } from '../../../src/state/machine/subjects.ts'
import { catalogMigrations } from '../../../src/state/catalog/schema.ts'
import { subject } from '../../../src/state/catalog/subjects.ts'
import {
  MemoryCatalog,
  checkDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'

// `subjects` has what is alive and what went lately; see subjects.ts.

/** A log whose entries lie so far apart that names are forgotten at every few of them. */
class SparseCatalog extends MemoryCatalog {
  readonly step: number
  #commands = 0

  constructor(step: number) {
    super()
    this.step = step
  }

  get index(): number {
    return this.#commands * this.step
  }

  /** Applies one command; returns the subjects that it touched. */
  put(body: CommandBody): ReadonlySet<string> {
    const command = this.command(body, `r${++this.#commands}`)
    const { subjects } = this.machine.applyBatch([{ index: this.index, term: 1, command }])
    return subjects.get('catalog') ?? new Set()
  }

  rows(table: string): readonly unknown[] {
    return this.db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()
  }
}

t.test('names that come and go leave no rows behind', async (t) => {
  const catalog = new SparseCatalog(16)
  catalog.put(registerCommand('n1', { service: serviceDefinition('web') }))
  const rows: number[] = []
  for (let n = 0; n < 2000; n++) {
    const nodeName = `host-${n}`
    catalog.put(registerCommand(nodeName, { service: serviceDefinition(`job-${n}`) }))
    catalog.put({ kind: 'deregister', nodeName })
    rows.push(catalog.rows('subjects').length)
  }
  // Two names in two commands, of those in twice as many entries as names are kept for.
  const max = 5 + (2 * goneEntries) / catalog.step
  t.ok(Math.max(...rows) <= max, `${Math.max(...rows)} rows at most, of 4,000 names and ${max}`)
  t.ok(catalog.rows('gone_subjects').length <= max)
  t.equal(catalog.reader.indexOf('service:web'), 16, 'what is alive keeps its index')
  t.equal(catalog.reader.indexOf('service:job-1999'), catalog.index, 'and what has just gone')
})

const names = ['a', 'b', 'c', 'd']
const name = fc.constantFrom(...names)
const body: fc.Arbitrary<CommandBody> = fc.oneof(
  fc
    .record({ node: name, service: name, id: fc.constantFrom('1', '2'), port: fc.nat(2) })
    .map(({ node, service, id, port }) =>
      registerCommand(node, {
        service: serviceDefinition(service, { id, port }),
        checks: [checkDefinition(`c${id}`, { serviceId: id })],
      }),
    ),
  fc
    .record({ node: name, id: fc.constantFrom('1', '2') })
    .map(({ node, id }): CommandBody => ({ kind: 'deregister', nodeName: node, serviceId: id })),
  name.map((node): CommandBody => ({ kind: 'deregister', nodeName: node })),
  fc
    .record({ node: name, status: fc.constantFrom('passing', 'critical') })
    .map(({ node, status }): CommandBody => ({
      kind: 'update-check',
      nodeName: node,
      checkId: 'c1',
      status: status as 'passing',
      output: '',
    })),
  // Time goes by: a command that changes nothing.
  fc.constant<CommandBody>({ kind: 'deregister', nodeName: 'nobody' }),
)

/** What is answered for each subject. */
function answers({ reader }: MemoryCatalog): ReadonlyMap<string, string> {
  const found: (readonly [string, unknown])[] = [
    [subject.nodes, reader.nodes()],
    [subject.services, [...reader.serviceNames()]],
    ...names.flatMap((each): (readonly [string, unknown])[] => [
      [subject.service(each), reader.instances(each)],
      [
        subject.node(each),
        [reader.node(each), reader.servicesOfNode(each), reader.checksOfNode(each)],
      ],
    ]),
  ]
  return new Map(found.map(([key, value]) => [key, JSON.stringify(value)]))
}

t.test(
  'no index falls, and every change of an answer raises it and wakes its readers',
  async () => {
    fc.assert(
      fc.property(fc.array(body, { minLength: 30, maxLength: 90 }), (bodies) => {
        const catalog = new SparseCatalog(goneEntries / 4)
        let before = answers(catalog)
        const indexes = new Map([...before.keys()].map((key) => [key, catalog.reader.indexOf(key)]))
        for (const each of bodies) {
          const touched = catalog.put(each)
          const after = answers(catalog)
          for (const [key, answer] of after) {
            const [was, is] = [must(indexes.get(key)), catalog.reader.indexOf(key)]
            const isChanged = answer !== before.get(key)
            if (is < was) throw new Error(`the index of ${key} fell from ${was} to ${is}`)
            if (is > catalog.index) throw new Error(`the index of ${key} is of the future`)
            if (isChanged && is !== catalog.index)
              throw new Error(`${key} changed, its index did not`)
            if (isChanged && !touched.has(key)) throw new Error(`${key} changed and woke nobody`)
            indexes.set(key, is)
          }
          before = after
        }
      }),
      { numRuns: 100 },
    )
  },
)

t.test('what is forgotten is the same whenever a server is brought to this format', async () => {
  fc.assert(
    fc.property(
      fc.array(body, { minLength: 20, maxLength: 60 }),
      fc.nat(19),
      (bodies, migratedAt) => {
        const [always, later] = [1, 2].map(() => new SparseCatalog(goneEntries / 4))
        const [a, b] = [must(always), must(later)]
        // What the format before kept: the last change of every name ever used.
        const last = new Map<string, number>()
        for (const [at, each] of bodies.entries()) {
          a.put(each)
          for (const key of b.put(each)) last.set(key, b.index)
          if (at === migratedAt) migrateFrom(b, last)
        }
        for (const table of ['subjects', 'gone_subjects']) {
          const [rows, expected] = [b.rows(table), a.rows(table)].map((each) =>
            JSON.stringify(each),
          )
          if (rows !== expected) throw new Error(`${table}: ${rows} and not ${expected}`)
        }
      },
    ),
    { numRuns: 80 },
  )
})

function migrateFrom({ db }: SparseCatalog, last: ReadonlyMap<string, number>): void {
  db.exec(`
    DROP TABLE gone_subjects;
    DELETE FROM subjects;
    ALTER TABLE subjects ADD COLUMN create_index INTEGER NOT NULL DEFAULT 0;
  `)
  const insert = db.prepare('INSERT INTO subjects (subject, modify_index) VALUES (?, ?)')
  for (const [key, index] of last) insert.run(key, index)
  db.exec(must(catalogMigrations[3]).sql)
}

t.test(
  'a name that is unknown has an index between all that it had and all it will have',
  async (t) => {
    t.equal(forgottenUpTo(0), 0)
    t.equal(forgottenUpTo(2 * goneEntries - 1), 0)
    t.equal(forgottenUpTo(2 * goneEntries), goneEntries)
    t.equal(forgottenUpTo(3 * goneEntries - 1), goneEntries)
  },
)
