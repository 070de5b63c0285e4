import t from 'tap'
import type { OperatorHealth } from '../../src/client/rows.ts'
import {
  isolated,
  numberText,
  stacked,
  tableOf,
  timesOf,
  valueText,
} from '../../src/ui/core/series.ts'
import type { PlotData } from '../../src/ui/core/series.ts'
import {
  contactText,
  healthOfServer,
  lagOf,
  roleOf,
  toleranceText,
} from '../../src/ui/core/servers.ts'

const data: PlotData = {
  endMs: 50_000,
  stepMs: 10_000,
  series: [
    { name: 'a', color: 'passing', values: [1, 2, null, 4] },
    { name: 'b', color: 'critical', values: [10, null, null, 1] },
  ],
}

t.test('the last value is that of the end', async (t) => {
  t.strictSame(timesOf(data), [20_000, 30_000, 40_000, 50_000])
  t.strictSame(timesOf({ ...data, series: [] }), [])
})

t.test('stacked series add up, and what is not known stays so', async (t) => {
  t.strictSame(stacked(data.series), [
    [1, 2, null, 4],
    [11, null, null, 5],
  ])
})

t.test('a value without a known neighbour is a point, since no line leads to it', async (t) => {
  t.strictSame(isolated([null, 3, null, 0, 1, null, null, 2]), [1, 7])
  t.strictSame(isolated([5]), [0])
  t.strictSame(isolated([1, 2]), [])
})

t.test('the table has means, the newest first', async (t) => {
  t.strictSame(tableOf(data, 3), [
    { atMs: 50_000, values: [3, 1] },
    { atMs: 20_000, values: [1, 10] },
  ])
})

t.test('numbers are short', async (t) => {
  t.strictSame([0, 0.254, 1, 1.25, 9.96, 12.4, 12_345].map(numberText), [
    '0',
    '0.25',
    '1',
    '1.3',
    '10',
    '12',
    '12,345',
  ])
  t.equal(valueText(null, '/s'), '–')
  t.equal(valueText(3, '/s'), '3/s')
})

t.test('what the page of the cluster says about a server', async (t) => {
  const server = {
    ID: 'a',
    Name: 'n1',
    Address: '',
    SerfStatus: 'alive',
    Leader: true,
    Voter: true,
    Healthy: true,
    LastContact: '0s',
    LastIndex: 100,
    LastTerm: 2,
    StableSince: '',
  }
  const follower = { ...server, Leader: false, LastIndex: 90, LastContact: '12ms' }
  const learner = { ...follower, Voter: false, Healthy: false, LastIndex: 0, LastContact: '-1ns' }
  const health: OperatorHealth = {
    Healthy: false,
    FailureTolerance: 0,
    Servers: [server, follower, learner],
  }
  t.equal(toleranceText(health), 'no server may fail')
  t.equal(toleranceText({ ...health, FailureTolerance: 1 }), '1 server may fail')
  t.strictSame(health.Servers.map(roleOf), ['leader', 'voter', 'learner'])
  t.strictSame(
    health.Servers.map((each) => lagOf(each, health)),
    [0, 10, undefined],
  )
  t.strictSame(health.Servers.map(contactText), ['', '12ms ago', ''])
  t.strictSame(health.Servers.map(healthOfServer), ['passing', 'passing', 'critical'])
  t.equal(healthOfServer({ ...learner, SerfStatus: 'none' }), 'unknown')
})
