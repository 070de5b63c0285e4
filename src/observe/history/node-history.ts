import type { Clock } from '../../base/clock.ts'
import type {
  Flapping,
  HealthCounts,
  HealthSeries,
  History,
  HourSeries,
  Recorded,
  Values,
} from '../../ports/history.ts'
import type { FamilyReads } from '../../ports/reads.ts'
import type { CatalogReader } from '../../state/catalog/query.ts'
import { CatalogWalk } from './catalog-walk.ts'
import { HealthChanges } from './health-changes.ts'
import { HourRing, stepMs } from './hour-ring.ts'
import { ratesOf } from './rates.ts'
import type { Counters } from './rates.ts'

/** Below this many services a walk takes a few milliseconds, and needs no slices. */
const slicedFrom = 250

export interface NodeHistoryParts {
  readonly clock: Clock
  /** DNS answers since the start, by response code. */
  readonly questions: () => Counters
  /** How many entries of the log each server lacks, by ID. */
  readonly lag: () => ReadonlyMap<string, number>
  readonly catalog: Pick<FamilyReads<CatalogReader>, 'read' | 'readSliced' | 'version'>
}

/** Records every ten seconds what this node counts, and the health of the catalog. */
export class NodeHistory implements History {
  readonly #parts: NodeHistoryParts
  readonly #ring = new HourRing()
  readonly #changes = new HealthChanges()
  readonly #walk = new CatalogWalk()
  readonly #requests = { all: 0, clientErrors: 0, serverErrors: 0 }
  readonly #startMs: number
  #last: { readonly atMs: number; readonly counters: Counters }
  #endMs: number
  #seenVersion = -1
  /** Whether the health of all services is known. */
  #isWhole = false

  constructor(parts: NodeHistoryParts) {
    this.#parts = parts
    const atMs = parts.clock.monotonicMs()
    this.#startMs = atMs
    this.#endMs = parts.clock.wallMs()
    this.#last = { atMs, counters: this.#counters() }
  }

  /** Returns how to stop it. `onError`: what keeps it from looking at the catalog. */
  start(onError: (error: unknown) => void): () => void {
    const timer = setInterval(() => void this.sample().catch(onError), stepMs).unref()
    return () => clearInterval(timer)
  }

  /** Records the present values. */
  async sample(): Promise<void> {
    const { clock, lag } = this.#parts
    const atMs = clock.monotonicMs()
    const step = Math.round((atMs - this.#startMs) / stepMs)
    if (step <= this.#ring.last) return
    const counters = this.#counters()
    const values = new Map(ratesOf(this.#last.counters, counters, atMs - this.#last.atMs))
    for (const [id, entries] of lag()) values.set(`lag/${id}`, entries)
    this.#last = { atMs, counters }
    await this.#look(step)
    if (this.#isWhole) {
      for (const [status, count] of Object.entries(this.#changes.total())) {
        values.set(`health/${status}`, count)
      }
    }
    this.#ring.put(step, values)
    this.#endMs = clock.wallMs()
  }

  countRequest(status: number): void {
    this.#requests.all++
    if (status >= 500) this.#requests.serverErrors++
    else if (status >= 400) this.#requests.clientErrors++
  }

  lastHour(): Recorded<HourSeries> {
    return this.#recorded({
      questions: this.#below('questions/'),
      requests: {
        all: this.#values('requests/all'),
        clientErrors: this.#values('requests/clientErrors'),
        serverErrors: this.#values('requests/serverErrors'),
      },
      lag: this.#below('lag/'),
      health: {
        passing: this.#values('health/passing'),
        warning: this.#values('health/warning'),
        critical: this.#values('health/critical'),
        maintenance: this.#values('health/maintenance'),
      },
    })
  }

  ofService(key: string): Recorded<HealthSeries> | undefined {
    const series = this.#changes.ofService(key, this.#ring.from, this.#ring.last)
    return series === undefined ? undefined : this.#recorded(series)
  }

  flapping(): readonly Flapping[] {
    return this.#changes.flapping(this.#ring.last)
  }

  /** Looks at what changed in the catalog. */
  async #look(step: number): Promise<void> {
    const { catalog } = this.#parts
    const onService = (key: string, counts: HealthCounts): void =>
      this.#changes.see(step, key, counts, this.#isWhole)
    const version = catalog.version()
    if (version === this.#seenVersion) return
    const keys =
      catalog.read((reader) => reader.counts().services) > slicedFrom
        ? await catalog.readSliced((reader) => this.#walk.walk(reader, onService))
        : catalog.read((reader) => atOnce(this.#walk.walk(reader, onService)))
    this.#seenVersion = version
    this.#isWhole = keys !== undefined
    this.#changes.keepOnly(keys ?? new Set())
  }

  #counters(): Counters {
    const questions = [...this.#parts.questions()].map(
      ([rcode, count]) => [`questions/${rcode}`, count] as const,
    )
    const requests = Object.entries(this.#requests).map(
      ([name, count]) => [`requests/${name}`, count] as const,
    )
    return new Map([...questions, ...requests])
  }

  #below(prefix: string): Readonly<Record<string, Values>> {
    const names = this.#ring.names().filter((name) => name.startsWith(prefix))
    return Object.fromEntries(
      names.map((name) => [name.slice(prefix.length), this.#values(name)] as const),
    )
  }

  #values(name: string): Values {
    return this.#ring.values(name)
  }

  #recorded<Series>(series: Series): Recorded<Series> {
    return { stepMs, endMs: this.#endMs, series }
  }
}

function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const next = steps.next()
    if (next.done === true) return next.value
  }
}
