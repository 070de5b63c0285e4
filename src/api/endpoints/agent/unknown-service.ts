import { SvcdError, svcdError } from '../../../base/errors.ts'
import type { Backend } from '../../../ports/backend.ts'

const shownMax = 3

/**
 * Runs `act`. If it fails because this agent does not have the service ID, the error gets a hint from the
 * catalog: another agent has the ID, or it is the name of services with other IDs.
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
      return `This is the agent of node ${identity.nodeName}, but the service with this ID is on node ${nodes.join(', ')}. Send the request to the agent there.`
    }
    const ids: string[] = []
    for (const { service, node } of catalog.pages.instances(id)) {
      ids.push(`"${service.id}"${node.name === identity.nodeName ? '' : ` on ${node.name}`}`)
      if (ids.length === shownMax) break
    }
    return ids.length === 0
      ? ''
      : `"${id}" is a service name. The IDs of its instances are: ${ids.join(', ')}.`
  })
}
