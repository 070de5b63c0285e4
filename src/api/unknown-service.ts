import { SvcdError } from '../base/errors.ts'
import type { Backend } from './backend.ts'

const shownMax = 3

/**
 * The error about a service ID that this agent does not have, with what the catalog knows of it: another
 * agent has it, or it is the name of services with other IDs. Any other error comes back as it is.
 */
export function explainUnknownService(error: unknown, id: string, backend: Backend): unknown {
  if (!(error instanceof SvcdError) || error.code !== 'unknown-service-id') return error
  const hint = hintFor(id, backend)
  return hint === '' ? error : new SvcdError(error.code, `${error.message} ${hint}`, error)
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
