import t from 'tap'
import { must } from '../../../../src/base/assert.ts'
import type { AnyMetric } from '../../../../src/base/metric.ts'
import { TestApi } from '../../support.ts'

const figures: readonly AnyMetric[] = [
  {
    name: 'svcd_dns_answers_total',
    help: 'Answers, with "quotes" and a \\ in it.',
    kind: 'counter',
    samples: [
      { labels: { transport: 'udp', rcode: 'NOERROR' }, value: 12 },
      { labels: { transport: 'tcp', rcode: 'a "b" \\ \n' }, value: 3 },
    ],
  },
  { name: 'svcd_raft_term', help: 'Term.', kind: 'gauge', samples: [{ labels: {}, value: 4 }] },
  {
    name: 'svcd_dns_latency_seconds',
    help: 'Latency.',
    kind: 'histogram',
    series: [{ labels: { thread: 'd' }, bounds: [0.1, 1], counts: [2, 3], count: 6, sum: 4.5 }],
  },
]

const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/

/** What promtool would object to in the text format of Prometheus; and the values by series. */
function checked(text: string): { faults: string[]; values: Map<string, number> } {
  const faults: string[] = []
  const values = new Map<string, number>()
  const types = new Map<string, string>()
  const helped = new Set<string>()
  if (!text.endsWith('\n')) faults.push('no newline at the end')
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') helped.add(name)
    else if (kind === 'TYPE') {
      if (types.has(name)) faults.push(`${name} has two types`)
      types.set(name, rest)
    } else if (line !== '') {
      const [, series = '', labels = '', value = ''] = sampleLine.exec(line) ?? []
      const base = series.replace(/_(?:bucket|sum|count)$/, '')
      const type = types.get(series) ?? types.get(base)
      if (type === undefined || !(helped.has(series) || helped.has(base))) {
        faults.push(`unannounced: ${line}`)
      }
      if (type === 'counter' && !series.endsWith('_total')) faults.push(`no _total: ${line}`)
      if (!/^(?:[-+]?\d[-+.\de]*|[-+]Inf|NaN)$/i.test(value)) faults.push(`no number: ${line}`)
      if (values.has(`${series}{${labels}}`)) faults.push(`twice: ${line}`)
      values.set(`${series}{${labels}}`, Number(value))
    }
  }
  return { faults, values }
}

t.test('/metrics is what Prometheus reads', async (t) => {
  const api = new TestApi(t)
  api.backend.figures = figures
  await api.get('status/leader')
  await api.get('no/such')
  const reply = await api.ask('GET', '/metrics')
  t.match(reply.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const { faults, values } = checked(reply.body)
  t.same(faults, [])
  t.equal(values.get('svcd_dns_answers_total{transport="udp",rcode="NOERROR"}'), 12)
  t.equal(values.get('svcd_raft_term{}'), 4)
  const bucket = (le: string): number | undefined =>
    values.get(`svcd_dns_latency_seconds_bucket{thread="d",le="${le}"}`)
  t.same([bucket('0.1'), bucket('1'), bucket('+Inf')], [2, 5, 6], 'buckets hold those below, too')
  t.equal(values.get('svcd_dns_latency_seconds_sum{thread="d"}'), 4.5)
  t.equal(values.get('svcd_http_requests_total{method="GET",status="200"}'), 1)
  t.equal(values.get('svcd_http_requests_total{method="GET",status="404"}'), 1)
  t.ok((values.get('process_resident_memory_bytes{}') ?? 0) > 1e6)
  const twice = await api.ask('GET', '/metrics')
  t.same(checked(twice.body).faults, [], 'asked again')
})

t.test('/v1/agent/metrics has the shape of Consul’s, or Prometheus’ text', async (t) => {
  const api = new TestApi(t)
  api.backend.figures = figures
  const reply = await api.get('agent/metrics')
  const body = JSON.parse(reply.body) as Record<string, Record<string, unknown>[]>
  t.same(Object.keys(body), ['Timestamp', 'Gauges', 'Points', 'Counters', 'Samples'])
  t.match(body['Timestamp'], /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/)
  t.match(body['Gauges'], [
    { Name: 'consul.runtime.alloc_bytes', Value: Number, Labels: {} },
    { Name: 'consul.runtime.sys_bytes', Value: Number, Labels: {} },
    { Name: 'svcd.raft.term', Value: 4, Labels: {} },
  ])
  t.match(must(body['Counters'])[0], {
    Name: 'svcd.dns.answers_total',
    Count: 12,
    Labels: { transport: 'udp', rcode: 'NOERROR' },
  })
  t.match(body['Samples'], [{ Name: 'svcd.dns.latency_seconds', Count: 6, Sum: 4.5, Mean: 0.75 }])
  const text = await api.get('agent/metrics?format=prometheus')
  t.same(checked(text.body).faults, [])
  const wrong = await api.ask('PUT', '/metrics')
  t.same([wrong.status, wrong.headers['allow']], [405, 'OPTIONS,GET'])
})
