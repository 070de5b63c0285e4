import type { Rights } from '../../../access/rights.ts'
import { SvcdError, svcdError } from '../../../base/errors.ts'
import type { ApiContext } from '../../context.ts'

const shownMax = 3

type ServiceSearch = Pick<ApiContext, 'catalog' | 'identity'>

/**
 * Runs `act`. If it fails because this agent does not have the service ID, the error gets a hint from the
 * catalog: another agent has the ID, or it is the name of services with other IDs.
 */
export async function explained(
  act: () => Promise<void>,
  id: string,
  context: ServiceSearch,
  rights: Rights,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof SvcdError) || error.code !== 'unknown-service-id') throw error
    throw elsewhere(id, context, rights, error) ?? error
  }
}

function elsewhere(
  id: string,
  context: ServiceSearch,
  rights: Rights,
  cause: SvcdError,
): SvcdError | undefined {
  const isSeen = (on: string, name: string): boolean =>
    rights.allows('node', on, 'read') && rights.allows('service', name, 'read')
  const { nodeName: node } = context.identity
  return context.catalog.read((catalog) => {
    const others = catalog
      .placesOfService(id, shownMax + 1)
      .filter((place) => place.node !== node)
      .filter((place) => isSeen(place.node, catalog.service(place.node, id)?.name ?? id))
      .map((place) => `${place.node} (${place.address})`)
    if (others.length > 0) {
      const places = others.slice(0, shownMax).join(', ')
      return svcdError('unknown-service-id-elsewhere', { id, node, places }, cause)
    }
    const ids: string[] = []
    for (const { service, node: of } of catalog.pages.instances(id)) {
      if (!isSeen(of.name, service.name)) continue
      ids.push(`"${service.id}"${of.name === node ? '' : ` on ${of.name}`}`)
      if (ids.length === shownMax) break
    }
    if (ids.length === 0) return undefined
    return svcdError('service-name-not-id', { id, ids: ids.join(', ') }, cause)
  })
}
