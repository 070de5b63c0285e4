import type { FastifyInstance } from 'fastify'
import type { AnyMetric, Labels } from '../base/metric.ts'
import type { History } from '../ports/history.ts'
import type { RenderCounts } from './renderer.ts'

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

/** How often one answer served several requests. */
export function renderMetrics({ hits, misses }: RenderCounts): readonly AnyMetric[] {
  return [
    counter('cache_hits_total', 'HTTP answers from the cache of complete bodies.', hits),
    counter('cache_misses_total', 'HTTP answers read from the state.', misses),
  ]
}

function counter(name: string, help: string, value: number): AnyMetric {
  return { name: `svcd_http_${name}`, help, kind: 'counter', samples: [{ labels: {}, value }] }
}

/** The metrics of a node: its own figures, its requests from now on, and its process. */
export interface Measured {
  readonly metrics: () => readonly AnyMetric[]
  /** In Prometheus' text format. */
  readonly text: () => Promise<{ readonly type: string; readonly body: string }>
}

/** Writes metrics as text, with those of this process. */
export interface Exposition {
  of(metrics: readonly AnyMetric[]): ReturnType<Measured['text']>
  close(): void
}

interface MeasureParts {
  readonly app: FastifyInstance
  readonly figures: () => readonly AnyMetric[]
  /** Called at the first scrape, because most agents never see one. */
  readonly open: () => Promise<Exposition>
  readonly history: Pick<History, 'countRequest'>
}

/** Counts the requests to an app. */
export function measure({ app, figures, open, history }: MeasureParts): Measured {
  const requests = new RequestCounts()
  app.addHook('onResponse', (request, reply, done) => {
    requests.count(request.method, reply.statusCode)
    history.countRequest(reply.statusCode)
    done()
  })
  const metrics = (): readonly AnyMetric[] => [...figures(), requests.metric()]
  let exposition: Promise<Exposition> | undefined
  app.addHook('onClose', async () => (await exposition)?.close())
  const text: Measured['text'] = async () => {
    exposition ??= open()
    return (await exposition).of(metrics())
  }
  return { metrics, text }
}
