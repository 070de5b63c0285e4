import fc from 'fast-check'
import t from 'tap'
import { precedenceOf } from '../../../src/state/intention/model.ts'
import type { IntentionDefinition, IntentionName } from '../../../src/state/intention/model.ts'
import { restoreIntentions } from '../../../src/state/intention/restore.ts'
import {
  MemoryIntentions,
  intentionDefinition,
  intentionId,
  intentionName,
  pairOf,
} from '../../helpers/intentions.ts'

t.test(
  'an intention is created, updated and deleted, and keeps the time of its creation',
  async (t) => {
    const all = new MemoryIntentions()
    t.equal(all.put(1, 'web > db', {}, 'update'), 'unknown-id')
    t.equal(all.put(1, 'web > db', {}, 'create'), undefined)
    t.equal(all.put(1, 'web > db', {}, 'create'), 'taken-id')
    const made = { createTimeMs: 2, updateTimeMs: 2, createIndex: 2, modifyIndex: 2 }
    const id = intentionId(1)
    t.strictSame(all.get(1), { id, ...intentionDefinition('web > db'), ...made })
    t.equal(all.put(1, 'web > db', {}, 'update'), undefined)
    t.match(all.get(1), made, 'nothing was new')
    t.equal(all.put(1, 'web > cache', { action: 'deny' }, 'update'), undefined)
    t.match(all.get(1), {
      ...intentionDefinition('web > cache', { action: 'deny' }),
      createTimeMs: 2,
      updateTimeMs: 5,
      createIndex: 2,
      modifyIndex: 5,
    })
    t.equal(all.reader.indexOf('intentions'), 5)
    t.equal(all.delete(1), undefined)
    t.equal(all.delete(1), 'unknown-id')
    t.equal(all.get(1), undefined)
    t.equal(all.reader.indexOf('intentions'), 6)
  },
)

t.test('source and destination are unique in any case, and keep their spelling', async (t) => {
  const all = new MemoryIntentions()
  t.equal(all.put(1, 'Web > db', {}, 'create'), undefined)
  t.equal(all.put(2, 'web > DB', {}, 'create'), 'taken-pair')
  t.equal(all.put(2, 'eng/web > db', {}, 'create'), undefined)
  t.equal(all.put(2, 'web > db', {}, 'update'), 'taken-pair')
  t.equal(all.put(3, 'WEB > db', { action: 'deny' }, 'upsert'), undefined)
  t.equal(all.get(3), undefined)
  t.match(all.get(1), { source: { name: 'WEB' }, action: 'deny' }, 'an upsert keeps the ID')
  t.equal(all.put(4, 'web > *', {}, 'upsert'), undefined)
  t.match(all.get(4), { destination: { name: '*' } })
  t.equal(all.put(4, 'web > other', {}, 'upsert'), 'taken-id')
})

t.test('the precedence is that of Consul', async (t) => {
  // What Consul 1.8.7 answered.
  const expected: Readonly<Record<string, number>> = {
    'a > b': 9,
    '* > b': 8,
    '*/* > b': 7,
    'a > *': 6,
    '* > *': 5,
    '*/* > *': 4,
    'a > */*': 3,
    '* > */*': 2,
    '*/* > */*': 1,
  }
  const found = Object.keys(expected).map((pair) => [pair, precedenceOf(intentionDefinition(pair))])
  t.strictSame(Object.fromEntries(found), expected)
})

t.test('lists have those that decide first in front, over many pages', async (t) => {
  const all = new MemoryIntentions()
  for (let n = 0; n < 600; n++) all.put(n, `s${n % 30} > ${n < 300 ? `d${n}` : '*'}`)
  all.put(1000, 'B > b')
  all.put(1001, 'a > b')
  const listed = [...all.reader.intentions()]
  const text = (each: IntentionDefinition): string =>
    [9 - precedenceOf(each), each.source.name, each.destination.name].join(' ')
  t.strictSame(listed.map(text), listed.map(text).toSorted())
  t.equal(listed.length, 300 + 30 + 2)
  t.equal(pairOf(listed[0] ?? intentionDefinition('x > x')), 'B > b', 'bytes are compared')
})

t.test(
  'the first of those about both names decides; the source is compared in its case, as in Consul',
  async (t) => {
    const all = new MemoryIntentions()
    for (const [n, pair] of [
      '* > *',
      'Cap > Db',
      '* > db',
      'web > *',
      'web > db',
      'eng/* > eng/db',
    ].entries())
      all.put(n, pair)
    t.equal(all.deciding('web', 'db'), 'web > db')
    t.equal(all.deciding('web', 'DB'), 'web > db')
    t.equal(all.deciding('WEB', 'db'), '* > db')
    t.equal(all.deciding('Cap', 'db'), 'Cap > Db')
    t.equal(all.deciding('cap', 'db'), '* > db')
    t.equal(all.deciding('web', 'api'), 'web > *')
    t.equal(all.deciding('api', 'api'), '* > *')
    t.equal(all.deciding('eng/x', 'eng/db'), 'eng/* > eng/db')
    t.equal(all.deciding('x', 'eng/db'), undefined)
    const matching = (side: 'source' | 'destination', name: string) =>
      all.reader.matching(side, intentionName(name)).map(pairOf)
    t.strictSame(matching('source', 'web'), ['web > db', '* > db', 'web > *', '* > *'])
    t.strictSame(matching('destination', 'db'), [
      'Cap > Db',
      'web > db',
      '* > db',
      'web > *',
      '* > *',
    ])
    t.strictSame(matching('destination', '*'), ['web > *', '* > *'])
    t.strictSame(matching('destination', 'eng/db'), ['eng/* > eng/db'])
    t.strictSame(matching('destination', '*/x'), [])
  },
)

const names = ['*', 'a', 'b', 'A', 'n/a', 'n/*', '*/*'] as const
const anyPairs = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), {
  selector: (pair) => pair.join(' > ').toLowerCase(),
  maxLength: 12,
})

/** Decides by looking at each intention. */
function naive(
  pairs: readonly (readonly [string, string])[],
  source: string,
  destination: string,
): string | undefined {
  const [from, to] = [intentionName(source), intentionName(destination)]
  const fits = (of: string, asked: string): boolean => of === '*' || of === asked
  const isFor = (of: IntentionName, asked: IntentionName, isExact: boolean): boolean => {
    const text = (word: string): string => (isExact ? word : word.toLowerCase())
    return (
      of.namespace === '*' ||
      (fits(text(of.namespace), text(asked.namespace)) && fits(text(of.name), text(asked.name)))
    )
  }
  return pairs
    .map((pair) => intentionDefinition(pair.join(' > ')))
    .filter((each) => isFor(each.source, from, true) && isFor(each.destination, to, false))
    .toSorted((one, other) => precedenceOf(other) - precedenceOf(one))
    .map(pairOf)[0]
}

t.test('what decides is what looking at each intention finds', async () => {
  const asked = fc.constantFrom('a', 'b', 'A', 'c', 'n/a', 'n/c')
  fc.assert(
    fc.property(anyPairs, asked, asked, (pairs, source, destination) => {
      const all = new MemoryIntentions()
      for (const [n, pair] of pairs.entries()) all.put(n, pair.join(' > '))
      const [found, expected] = [
        all.deciding(source, destination),
        naive(pairs, source, destination),
      ]
      return found === expected
    }),
    { numRuns: 300 },
  )
})

t.test(
  'a restore makes any intentions the archived ones, and leaves what is equal alone',
  async (t) => {
    const stored = (pairs: readonly (readonly [string, string])[]): MemoryIntentions => {
      const all = new MemoryIntentions()
      for (const [n, pair] of pairs.entries()) all.put(n, pair.join(' > '))
      return all
    }
    const told = ({ reader }: MemoryIntentions) =>
      [...reader.intentions()].map(({ createIndex: _c, modifyIndex: _m, ...rest }) => rest)
    const run = fc.property(anyPairs, anyPairs, (archived, present) => {
      const [from, to] = [stored(archived), stored(present)]
      for (const bodies of restoreIntentions(from.reader, to.reader)) {
        for (const body of bodies ?? []) if (to.apply(body) !== undefined) return false
      }
      const rest = [...restoreIntentions(from.reader, to.reader)].flatMap((bodies) => bodies ?? [])
      return JSON.stringify(told(from)) === JSON.stringify(told(to)) && rest.length === 0
    })
    t.doesNotThrow(() => fc.assert(run, { numRuns: 200 }))
  },
)
