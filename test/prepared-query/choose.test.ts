import t from 'tap'
import { chooserOf, nearFirst } from '../../src/prepared-query/choose.ts'
import { queryDefinition } from '../helpers/queries.ts'
import type { QueryText } from '../helpers/queries.ts'

const check = (checkId: string, status: 'passing' | 'warning' | 'critical', serviceId = 's') => ({
  checkId,
  status,
  serviceId,
})
const instance = (
  node: string,
  tags: readonly string[],
  checks: readonly ReturnType<typeof check>[] = [],
  meta: Readonly<Record<string, string>> = {},
) => ({ node, service: { tags, meta, weights: { passing: 5, warning: 2 } }, checks })

const instances = [
  instance('m1', ['M', 's'], [], { v: '1' }),
  instance('m2', ['m'], [check('c1', 'critical', '')]),
  instance('m3', [], [check('w1', 'warning'), check('c2', 'critical')]),
  instance('m4', ['m'], [check('_node_maintenance', 'critical', '')]),
]
const nodeMeta: Readonly<Record<string, Readonly<Record<string, string>>>> = { m1: { os: 'linux' } }

function chosen(service: QueryText['service'] = {}): string {
  const choose = chooserOf(queryDefinition({ service }).service)
  return instances
    .flatMap((each) => {
      const verdict = choose(each, () => nodeMeta[each.node] ?? {})
      return verdict === undefined ? [] : [`${each.node}:${verdict.weight}`]
    })
    .join(' ')
}

t.test('a query chooses the instances that Consul chooses', async (t) => {
  const both = { ignoreCheckIds: ['c1', 'c2'] }
  t.equal(chosen(), 'm1:5')
  t.equal(chosen({ tags: [] }), 'm1:5')
  t.equal(chosen({ tags: ['m'] }), 'm1:5')
  t.equal(chosen({ tags: ['M', 'S'] }), 'm1:5')
  t.equal(chosen({ tags: ['!m'] }), '')
  t.equal(chosen(both), 'm1:5 m2:5 m3:2')
  t.equal(chosen({ ...both, tags: ['!M'] }), 'm3:2')
  t.equal(chosen({ ...both, tags: ['m', '!s'] }), 'm2:5')
  t.equal(chosen({ ...both, tags: ['!'] }), 'm1:5 m2:5 m3:2')
  t.equal(chosen({ ...both, tags: [''] }), '')
  t.equal(chosen({ ignoreCheckIds: ['c1'] }), 'm1:5 m2:5')
  t.equal(chosen({ ignoreCheckIds: ['C1'] }), 'm1:5')
  t.equal(chosen({ ...both, onlyPassing: true }), 'm1:5 m2:5')
  t.equal(chosen({ ignoreCheckIds: ['c1', 'c2', 'w1'], onlyPassing: true }), 'm1:5 m2:5 m3:5')
  t.equal(chosen({ ignoreCheckIds: ['_node_maintenance'] }), 'm1:5 m4:5')
  t.equal(chosen({ nodeMeta: { os: 'linux' } }), 'm1:5')
  t.equal(chosen({ nodeMeta: { os: '' } }), '')
  t.equal(chosen({ nodeMeta: { constructor: '' } }), '')
  t.equal(chosen({ serviceMeta: { v: '1' } }), 'm1:5')
  t.equal(chosen({ serviceMeta: { v: '2' } }), '')
  t.equal(chosen({ connect: true }), '', 'there is no mesh')
})

t.test('the near instances come first', async (t) => {
  const order = (node: string | undefined): string => {
    const { ordered, near } = nearFirst(instances, (each) => each.node, node)
    return `${near} ${ordered.map((each) => each.node).join('')}`
  }
  t.equal(order('M3'), '1 m3m1m2m4')
  t.equal(order('m9'), '0 m1m2m3m4')
  t.equal(order(''), '0 m1m2m3m4')
  t.equal(order(undefined), '0 m1m2m3m4')
})
