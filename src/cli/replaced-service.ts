import type { ServiceEntry, ServiceRegistration } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { SvcdError } from '../base/errors.ts'
import { hostPort } from './endpoint.ts'

/** The agent's service with this ID, by its ID; empty if there is none, or the agent refuses to answer. */
export async function serviceWith(
  client: Client,
  id: string,
): Promise<Readonly<Record<string, ServiceEntry>>> {
  try {
    const service = await client.agentService(id)
    return service === undefined ? {} : { [id]: service }
  } catch (error) {
    // This request only serves the explanation; the registration itself may be allowed.
    if (error instanceof SvcdError && error.code === 'agent-refused') return {}
    throw error
  }
}

/**
 * A sentence about the instance that a registration replaced, for users who register a second instance with the
 * ID of the first. '' if nothing was lost, or if the agent itself warns, because the name differs.
 */
export async function replacedNote(
  client: Client,
  { Name, Address = '', Port = 0 }: ServiceRegistration,
  before: ServiceEntry | undefined,
): Promise<string> {
  // Without a port the old instance was not reachable.
  if (before === undefined || before.Service !== Name || before.Port === 0) return ''
  const old = placeOf(before)
  if (placeOf({ Address, Port }) === old) return ''
  // From the agent, which stores addresses in one notation.
  const { [before.ID]: after } = await serviceWith(client, before.ID).catch(nothing)
  const place = after === undefined ? old : placeOf(after)
  if (place === old) return ''
  return `The service "${Name}" with the ID "${before.ID}" was at ${old} and is now at ${place}. If these are two instances, give each one its own ID (--id, or "id" in a file).`
}

function placeOf({ Address, Port }: Pick<ServiceEntry, 'Address' | 'Port'>): string {
  return Address === '' ? `port ${Port}` : hostPort({ address: Address, port: Port })
}

/** The registration succeeded, even if the agent does not answer any more. */
function nothing(): Readonly<Record<string, ServiceEntry>> {
  return {}
}
