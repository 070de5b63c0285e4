import type { FastifyReply } from 'fastify'
import type { AnyMetric } from '../../../base/metric.ts'
import { endpoint } from '../../context.ts'
import { parameter } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { lineStream, opaque, text } from '../../../http/schemas.ts'

/** The same interval as in Consul, whose figures cover ten seconds each. */
const streamMs = 10_000

/** `/metrics` in Prometheus' text format, and `/v1/agent/metrics` in Consul's form. */
export const metricsEndpoints = [
  endpoint({
    method: 'GET',
    // Outside `/v1`, because Prometheus expects it there.
    path: '/metrics',
    permission: { resource: 'agent', access: 'read', name: 'own-node' },
    summary: "Read the metrics of this agent in Prometheus' text format",
    media: { description: 'The metrics', content: { 'text/plain': { schema: text } } },
    async handle({ measured }, _request, reply) {
      return sendText(reply, await measured.text())
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/metrics',
    permission: { resource: 'agent', access: 'read', name: 'own-node' },
    summary: 'Read the metrics of this agent as JSON, or as text with format=prometheus',
    query: {
      format: { type: 'string', description: 'A format other than JSON: prometheus' },
      ...query.pretty,
    },
    answer: opaque,
    async handle({ measured }, request, reply) {
      if (parameter(request.query, 'format') !== 'prometheus') {
        return sendJson(request, reply, consulShape(measured.metrics(), new Date()))
      }
      return sendText(reply, await measured.text())
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/metrics/stream',
    permission: { resource: 'agent', access: 'read', name: 'own-node' },
    summary: 'Stream the metrics every ten seconds, one JSON object per line',
    media: lineStream,
    errors: [403, 503],
    isForPages: false,
    async handle({ measured, lines, tokenStreams }, request, reply) {
      const type = 'application/x-ndjson'
      if (request.method === 'HEAD') return reply.header('Content-Type', type).send()
      if (reply.raw.destroyed) return reply.hijack()
      const next = (): string => `${JSON.stringify(consulShape(measured.metrics(), new Date()))}\n`
      tokenStreams.followLines(request, reply.raw)
      return lines.open(reply, type, {
        // Of gauges the latest value is enough: missed ones would add nothing.
        dropped: () => '',
        feed: (stream) => {
          stream.write(next())
          const timer = setInterval(() => stream.write(next()), streamMs).unref()
          return () => clearInterval(timer)
        },
      })
    },
  }),
]

function sendText(
  reply: FastifyReply,
  { type, body }: { readonly type: string; readonly body: string },
): FastifyReply {
  return reply.header('content-type', type).header('X-Content-Type-Options', 'nosniff').send(body)
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
