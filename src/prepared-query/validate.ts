import { parseDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import { metadataFault } from '../base/metadata.ts'
import { isTemplate } from '../state/query/model.ts'
import type { QueryDefinition } from '../state/query/model.ts'
import { TemplateError } from './template-error.ts'
import { compileQuery } from './template.ts'

/** Of a definition as JSON: what a template makes of it grows with it. */
export const definitionBytesMax = 64 * 1024

/** What Consul shows in the place of a token. */
const redactedToken = '<hidden>'

/** Throws `query-invalid`, `query-too-large` or `query-template-invalid`. */
export function validateQuery(definition: QueryDefinition): void {
  const reason = faultOf(definition)
  if (reason !== undefined) throw svcdError('query-invalid', { reason })
  const size = Buffer.byteLength(JSON.stringify(definition))
  if (size > definitionBytesMax) {
    throw svcdError('query-too-large', { size, max: definitionBytesMax })
  }
  try {
    compileQuery(definition)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw svcdError('query-template-invalid', { reason: error.message }, error)
  }
}

/** Consul's reasons, in the order in which it looks. */
function faultOf(definition: QueryDefinition): string | undefined {
  const { name, session, token, service } = definition
  // Without a name, no client could find it, and it would stay forever.
  if (name === '' && session === '' && !isTemplate(definition)) return 'Must be bound to a session'
  if (token === redactedToken) {
    return `Bad Token '${redactedToken}', it looks like a query definition with a redacted token was submitted`
  }
  if (service.service === '') return 'Must provide a Service name to query'
  const { nearestN } = service.failover
  if (nearestN < 0) return `Bad NearestN '${nearestN}', must be >= 0`
  return metadataFault(service.nodeMeta ?? {}, true) ?? ttlFault(definition.dns.ttl)
}

function ttlFault(ttl: string): string | undefined {
  if (ttl === '') return undefined
  const ms = parseDuration(ttl)
  if (ms === undefined) return `Bad DNS TTL '${ttl}': time: invalid duration ${JSON.stringify(ttl)}`
  return ms < 0 ? `DNS TTL '${Math.round(ms * 1e6)}', must be >=0` : undefined
}

/** The largest TTL of DNS (RFC 2181 §8). */
const ttlMax = 2 ** 31 - 1

/** The TTL of a valid definition in whole seconds; undefined: that of the service. */
export function ttlSeconds({ dns: { ttl } }: QueryDefinition): number | undefined {
  if (ttl === '') return undefined
  return Math.min(ttlMax, Math.floor((parseDuration(ttl) ?? 0) / 1000))
}
