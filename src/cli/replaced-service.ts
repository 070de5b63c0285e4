import type { ServiceEntry, ServiceRegistration } from '../api/client-rows.ts'
import type { Client } from '../api/client.ts'
import { SvcdError } from '../base/errors.ts'
import { hostPort } from './endpoint.ts'

/** The agent's service of this ID by its ID; empty when there is none, or the agent refuses to say. */
export async function serviceWith(
  client: Client,
  id: string,
): Promise<Readonly<Record<string, ServiceEntry>>> {
  try {
    const service = await client.agentService(id)
    return service === undefined ? {} : { [id]: service }
  } catch (error) {
    // It is only asked to explain what a registration does; that may be allowed all the same.
    if (error instanceof SvcdError && error.code === 'agent-refused') return {}
    throw error
  }
}

/**
 * A sentence about the instance whose place a registration took: whoever registers a second instance under the
 * ID of the first one has one. '' when nothing was lost, or the agent itself warns: of another name.
 */
export async function replacedNote(
  client: Client,
  { Name, Address = '', Port = 0 }: ServiceRegistration,
  before: ServiceEntry | undefined,
): Promise<string> {
  // Without a port it was no instance that anybody could reach.
  if (before === undefined || before.Service !== Name || before.Port === 0) return ''
  const old = placeOf(before)
  if (placeOf({ Address, Port }) === old) return ''
  // As the agent keeps it: it writes addresses in one way.
  const { [before.ID]: after } = await serviceWith(client, before.ID).catch(nothing)
  const place = after === undefined ? old : placeOf(after)
  if (place === old) return ''
  return `The service "${Name}" with the ID "${before.ID}" was at ${old} and is now at ${place}. If these are two instances, give each one its own ID (--id, or "id" in a file).`
}

function placeOf({ Address, Port }: Pick<ServiceEntry, 'Address' | 'Port'>): string {
  return Address === '' ? `port ${Port}` : hostPort({ address: Address, port: Port })
}

/** The registration is done; that the agent cannot be asked about it any more is no fault of it. */
function nothing(): Readonly<Record<string, ServiceEntry>> {
  return {}
}
