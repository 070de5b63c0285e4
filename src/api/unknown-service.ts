import { SvcdError, svcdError } from '../base/errors.ts'
import type { Backend } from './backend.ts'

const shownMax = 3

/**
 * Runs `act`. To its error about a service ID that this agent does not have it adds what the catalog knows
 * of that: another agent has it, or it is the name of services with other IDs.
 */
export async function explained(
  act: () => Promise<void>,
  id: string,
  backend: Backend,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof SvcdError) || error.code !== 'unknown-service-id') throw error
    const hint = hintFor(id, backend)
    throw hint === '' ? error : svcdError('unknown-service-id-elsewhere', { id, hint }, error)
  }
}

function hintFor(id: string, backend: Backend): string {
  const { identity } = backend
  return backend.read((catalog) => {
    const places = catalog.placesOfService(id, shownMax + 1)
    const others = places.filter(({ node }) => node !== identity.nodeName)
    if (others.length > 0) {
      const nodes = others.map(({ node, address }) => `${node} (${address})`).slice(0, shownMax)
      return `Node ${nodes.join(', ')} has a service with this ID, and this agent is ${identity.nodeName}: ask the agent there.`
    }
    const ids: string[] = []
    for (const { service, node } of catalog.pages.instances(id)) {
      ids.push(`"${service.id}"${node.name === identity.nodeName ? '' : ` on ${node.name}`}`)
      if (ids.length === shownMax) break
    }
    return ids.length === 0
      ? ''
      : `"${id}" is the name of services with other IDs: ${ids.join(', ')}.`
  })
}
