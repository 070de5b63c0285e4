import type { FastifyInstance } from 'fastify'
import type { AnyMetric, Labels } from '../../../base/metric.ts'
import type { Backend } from '../../../ports/backend.ts'
import type { LineStreams } from '../../streams/line-streams.ts'
import { parameter, parametersOf } from '../../http/parameters.ts'
import type { PrometheusText } from './prometheus-text.ts'
import { sendJson } from '../../http/reply.ts'
import { addRoute } from '../../http/route.ts'
import type { Handler } from '../../http/route.ts'

/** The same interval as in Consul, whose figures cover ten seconds each. */
const streamMs = 10_000

/** The labels of a request: method and status, never the path, which a client can make up. */
class RequestCounts {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>()

  count(method: string, status: number): void {
    const key = `${method} ${status}`
    const known = this.#counts.get(key)
    if (known !== undefined) known.value++
    else this.#counts.set(key, { labels: { method, status: String(status) }, value: 1 })
  }

  metric(): AnyMetric {
    return {
      name: 'svcd_http_requests_total',
      help: 'HTTP requests answered, by method and status.',
      kind: 'counter',
      samples: [...this.#counts.values()],
    }
  }
}

/** The metrics of a node: its own figures, its requests from now on, and its process. */
export interface Measured {
  readonly metrics: () => readonly AnyMetric[]
  readonly text: () => Promise<{ readonly type: string; readonly body: string }>
}

/** Loads the package at the first request, because most agents of a fleet are never scraped. */
async function openExposition(): Promise<PrometheusText> {
  const { PrometheusText } = await import('./prometheus-text.ts')
  return new PrometheusText()
}

/** `/metrics` in Prometheus' text format. It is outside `/v1`, because Prometheus expects it there. */
export function addPrometheusRoute(app: FastifyInstance, backend: Backend): Measured {
  const requests = new RequestCounts()
  app.addHook('onResponse', (request, reply, done) => {
    requests.count(request.method, reply.statusCode)
    done()
  })
  const metrics = (): readonly AnyMetric[] => [...backend.metrics(), requests.metric()]
  let exposition: Promise<PrometheusText> | undefined
  app.addHook('onClose', async () => (await exposition)?.close())
  const text: Measured['text'] = async () => {
    exposition ??= openExposition()
    return (await exposition).of(metrics())
  }
  addRoute(app, 'GET', '/metrics', async (_request, reply) => {
    const { type, body } = await text()
    return reply.header('content-type', type).send(body)
  })
  return { metrics, text }
}

/** `/v1/agent/metrics` in Consul's form. */
export function addMetricsRoutes(
  app: FastifyInstance,
  { metrics, text }: Measured,
  lines: LineStreams,
): void {
  addRoute(app, 'GET', '/v1/agent/metrics', async (request, reply) => {
    if (parameter(parametersOf(request), 'format') !== 'prometheus') {
      return sendJson(request, reply, consulShape(metrics(), new Date()))
    }
    const { type, body } = await text()
    return reply.header('content-type', type).send(body)
  })
  const next = (): string => `${JSON.stringify(consulShape(metrics(), new Date()))}\n`
  const stream: Handler = async (request, reply) => {
    const type = 'application/x-ndjson'
    if (request.method === 'HEAD') return reply.header('Content-Type', type).send()
    if (reply.raw.destroyed) return reply.hijack()
    return lines.open(reply, type, {
      // Of gauges the latest value is enough: missed ones would add nothing.
      dropped: () => '',
      feed: (stream) => {
        stream.write(next())
        const timer = setInterval(() => stream.write(next()), streamMs).unref()
        return () => clearInterval(timer)
      },
    })
  }
  addRoute(app, 'GET', '/v1/agent/metrics/stream', stream, { isForPages: false })
}

/** `svcd_dns_queries_total` → `svcd.dns.queries_total` */
const dotted = (name: string): string => name.replace('_', '.').replace('_', '.')

/** Consul's JSON: names have dots; Count and Sum of a counter are totals since the start. */
function consulShape(metrics: readonly AnyMetric[], now: Date): object {
  const Gauges: object[] = runtimeGauges()
  const Counters: object[] = []
  const Samples: object[] = []
  for (const metric of metrics) {
    const Name = dotted(metric.name)
    if (metric.kind === 'histogram') {
      for (const { labels, count, sum } of metric.series) {
        Samples.push({ Name, ...aggregate(count, sum), Labels: labels })
      }
      continue
    }
    for (const { labels, value } of metric.samples) {
      if (metric.kind === 'gauge') Gauges.push({ Name, Value: value, Labels: labels })
      else Counters.push({ Name, ...aggregate(value, value), Labels: labels })
    }
  }
  const Timestamp = now
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000 UTC')
  return { Timestamp, Gauges, Points: [], Counters, Samples }
}

/** The memory of this process under the names that Consul's dashboards use. */
function runtimeGauges(): object[] {
  const { heapUsed, external, rss } = process.memoryUsage()
  return [
    { Name: 'consul.runtime.alloc_bytes', Value: heapUsed + external, Labels: {} },
    { Name: 'consul.runtime.sys_bytes', Value: rss, Labels: {} },
  ]
}

/** Figures that are not kept (least, most, deviation) are 0: Consul's readers expect the fields. */
function aggregate(count: number, sum: number): object {
  const Mean = count === 0 ? 0 : sum / count
  return { Count: count, Rate: 0, Sum: sum, Min: 0, Max: 0, Mean, Stddev: 0 }
}
