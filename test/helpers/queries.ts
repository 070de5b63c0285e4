import { must } from '../../src/base/assert.ts'
import type { QueryCommand } from '../../src/state/query/commands.ts'
import type { QueryDefinition, ServiceQuery } from '../../src/state/query/model.ts'
import { QueryReader } from '../../src/state/query/reader.ts'
import { MemoryKv } from './kv.ts'

/** What a test says of a query: all else is as in `{"Name": …, "Service": {"Service": "web"}}`. */
export type QueryText = Partial<Omit<QueryDefinition, 'service' | 'template'>> & {
  readonly service?: Partial<ServiceQuery>
  readonly template?: Partial<QueryDefinition['template']>
}

export function queryDefinition(text: QueryText = {}): QueryDefinition {
  return {
    name: '',
    session: '',
    token: '',
    dns: { ttl: '' },
    ...text,
    template: { type: '', regexp: '', removeEmptyTags: false, ...text.template },
    service: {
      service: 'web',
      failover: { nearestN: 0, datacenters: null },
      onlyPassing: false,
      ignoreCheckIds: null,
      near: '',
      tags: null,
      nodeMeta: null,
      serviceMeta: null,
      connect: false,
      ...text.service,
    },
  }
}

/** A template for all names that begin with `name`. */
export function templateDefinition(name: string, text: QueryText = {}): QueryDefinition {
  return queryDefinition({
    name,
    ...text,
    template: { type: 'name_prefix_match', ...text.template },
  })
}

/** A query ID that ends in a number. */
export function queryId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** Prepared queries in memory, and the log that fills them. */
export class MemoryQueries {
  readonly state: MemoryKv
  readonly reader: QueryReader

  constructor(step = 1) {
    this.state = new MemoryKv(step)
    this.reader = new QueryReader(this.state.db)
  }

  /** Undefined: it was done; else why not. `subjects`: what it touched. */
  apply(body: QueryCommand): {
    readonly refusal: unknown
    readonly subjects: readonly string[]
  } {
    const { outcomes, subjects } = this.state.applyAll(body)
    const outcome = must(outcomes[0])
    return {
      refusal: outcome.ok ? outcome.value : outcome.error,
      subjects: [...(subjects.get('query') ?? [])].toSorted(),
    }
  }

  put(number: number, definition: QueryDefinition): unknown {
    return this.apply({ kind: 'query-put', id: queryId(number), mode: 'any', definition }).refusal
  }

  delete(number: number): unknown {
    return this.apply({ kind: 'query-delete', id: queryId(number) }).refusal
  }

  /** The name of the query that is found; undefined: none. */
  found(name: string): string | undefined {
    return this.reader.find(name).query?.name
  }
}
