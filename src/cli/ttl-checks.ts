import type { CheckEntry } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { parseDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'

/**
 * The TTL checks of this agent for an ID: the check with this ID, or the TTL checks of the service with this
 * ID. Throws `no-ttl-check`, with a hint at what exists instead.
 */
export async function ttlChecksOf(client: Client, id: string): Promise<readonly CheckEntry[]> {
  const all = Object.values(await client.agentChecks())
  const ttl = all.filter(({ Type }) => Type === 'ttl')
  const own = ttl.find(({ CheckID }) => CheckID === id)
  const found = own === undefined ? ttl.filter(({ ServiceID }) => ServiceID === id) : [own]
  if (found.length > 0) return found
  throw svcdError('no-ttl-check', { id, hint: await hintFor(client, id, all) })
}

async function hintFor(client: Client, id: string, all: readonly CheckEntry[]): Promise<string> {
  const other = all.find(({ CheckID }) => CheckID === id)
  if (other !== undefined) {
    return `The check "${id}" is of type ${other.Type}: the agent runs it, and you cannot report it.`
  }
  const services = Object.keys(await client.agentServices())
  if (services.includes(id)) {
    return `The service "${id}" has no TTL check. Register it with --check-ttl 30s.`
  }
  const near = didYouMean(id, [...all.map(({ CheckID }) => CheckID), ...services]).trim()
  return `${near} \`svcd checks\` lists all checks.`.trim()
}

/** The TTL of a check in milliseconds; undefined if the agent does not report it. */
export function ttlMsOf({ Definition }: CheckEntry): number | undefined {
  const { TTL } = Definition
  return typeof TTL === 'string' ? parseDuration(TTL) : undefined
}
