import t from 'tap'
import { LogBudget } from '../../../src/resolver/traffic/log-budget.ts'
import { QueryObserver, unchosen } from '../../../src/resolver/traffic/query-observer.ts'
import type { QueryObserverOptions } from '../../../src/resolver/traffic/query-observer.ts'
import { buildQuery } from '../../dns/fixture.ts'

const wallMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

interface Rig {
  readonly observer: QueryObserver
  readonly sent: string[]
  /** One query is answered with an rcode. */
  readonly answer: (name: string, rcode?: number) => void
  nowMs: number
}

function rig(options: Partial<QueryObserverOptions> = {}): Rig {
  const sent: string[] = []
  const observer = new QueryObserver({
    seed: 1,
    budget: new LogBudget(),
    send: (text) => void sent.push(text),
    nowMs: () => made.nowMs,
    wallMs: () => wallMs,
    ...options,
  })
  const made: Rig = {
    observer,
    sent,
    nowMs: 1000,
    answer: (name, rcode = 0) => {
      const chosen = observer.choose()
      if (chosen === unchosen) return
      const packet = buildQuery(name, 'A')
      const out = Buffer.alloc(100)
      packet.copy(out, 0)
      out[2] = 0x80
      out[3] = rcode
      const how = { transport: 'udp', client: '10.0.0.9', isCached: true } as const
      const place = { out, at: 0, length: packet.length }
      observer.note(packet, { ...place, ...how, beganMs: made.nowMs - 0.25 }, chosen)
    },
  }
  return made
}

t.test('a line of the query log says who asked what, and what svcd answered', async (t) => {
  const { observer, sent, answer } = rig()
  observer.logEvery(1)
  answer('Web.Service.Consul')
  t.strictSame(sent, [], 'nothing is sent before the end of the batch')
  observer.flush()
  t.equal(
    sent.join(''),
    '{"time":"2026-01-02T03:04:05.678Z","transport":"udp","client":"10.0.0.9",' +
      '"name":"web.service.consul.","type":"A","rcode":"NOERROR","bytes":36,"latencyMs":0.25,"cached":true}\n',
  )
})

t.test('a name with control characters is one line of plain text', async (t) => {
  const { observer, sent, answer } = rig()
  observer.logEvery(1)
  answer('a\u001b\n"b.consul')
  observer.flush()
  const [line = ''] = sent
  t.match(line, /^[\x20-\x7e]+\n$/)
  t.match(JSON.parse(line), { name: 'a\\027\\010\\"b.consul.' })
})

t.test('a line of a sample says how many queries it stands for', async (t) => {
  const { observer, sent, answer } = rig()
  observer.logEvery(10)
  for (let n = 0; n < 1000; n++) answer('web.service.consul')
  observer.flush()
  const lines = sent.join('').trim().split('\n')
  t.ok(lines.length > 70 && lines.length < 130, `${lines.length} lines`)
  t.match(JSON.parse(lines[0] ?? ''), { sample: 10 })
})

t.test('lines for which there is no room are dropped and counted', async (t) => {
  const budget = new LogBudget()
  const { observer, sent, answer } = rig({ budget })
  observer.logEvery(1)
  // A writer that takes nothing.
  t.ok(budget.take(4 * 1024 * 1024 - 10, 0))
  answer('web.service.consul')
  answer('web.service.consul')
  observer.flush()
  t.strictSame(sent, [])
  t.equal(budget.dropped, 2)
  budget.giveBack(4 * 1024 * 1024 - 10)
  answer('web.service.consul')
  observer.flush()
  t.equal(sent.length, 1)
  t.equal(budget.takeDropped(), 2)
  t.equal(budget.dropped, 0)
})

t.test('nothing is observed before somebody asks, nor a minute after that', async (t) => {
  const made = rig()
  const { observer, answer } = made
  t.equal(observer.choose(), unchosen)
  observer.traffic()
  answer('web.service.consul')
  made.nowMs += 1000
  t.equal(observer.traffic().names[0]?.key, 'web.service.consul.')
  made.nowMs += 60_001
  answer('web.service.consul')
  t.equal(observer.choose(), unchosen, 'the first query after a minute ends it')
})

t.test('names that do not exist are counted apart', async (t) => {
  const made = rig()
  made.observer.traffic()
  made.answer('gone.service.consul', 3)
  made.answer('web.service.consul')
  made.nowMs += 1000
  const { names, missing } = made.observer.traffic()
  t.equal(names.length, 2)
  t.strictSame(missing, [{ key: 'gone.service.consul.', count: 1, error: 0 }])
})
