// The requests of the actions on instances and nodes.

/** What an action is about. */
export interface Target {
  readonly node: string
  /** '' for the node itself. */
  readonly serviceId: string
  /**
   * `agent`: this agent registered it, so the request is one of agent/*. `catalog`: the request changes the catalog,
   * because the UI reaches no other agent than this one.
   */
  readonly place: 'agent' | 'catalog'
}

export interface ActionRequest {
  readonly method: 'PUT'
  readonly path: string
  readonly body?: string
}

/** The check that stands for the maintenance of a target. */
export function maintenanceId({ serviceId }: Pick<Target, 'serviceId'>): string {
  return serviceId === '' ? '_node_maintenance' : `_service_maintenance:${serviceId}`
}

/** `reason`: undefined ends the maintenance. */
export function maintenance(target: Target, reason: string | undefined): ActionRequest {
  const { node: Node, serviceId: ServiceID, place } = target
  if (place === 'agent') {
    const search = new URLSearchParams({ enable: String(reason !== undefined) })
    if (reason !== undefined && reason !== '') search.set('reason', reason)
    const path =
      ServiceID === ''
        ? 'agent/maintenance'
        : `agent/service/maintenance/${encodeURIComponent(ServiceID)}`
    return { method: 'PUT', path: `${path}?${search.toString()}` }
  }
  const CheckID = maintenanceId(target)
  if (reason === undefined) return inCatalog('deregister', { Node, CheckID })
  const Name = ServiceID === '' ? 'Node Maintenance Mode' : 'Service Maintenance Mode'
  const Check = { Node, CheckID, Name, Status: 'critical', Notes: reason, ServiceID }
  return inCatalog('register', { Node, Address: '', SkipNodeUpdate: true, Check })
}

export function deregistration({ node: Node, serviceId, place }: Target): ActionRequest {
  if (serviceId === '') return inCatalog('deregister', { Node })
  return place === 'agent'
    ? { method: 'PUT', path: `agent/service/deregister/${encodeURIComponent(serviceId)}` }
    : inCatalog('deregister', { Node, ServiceID: serviceId })
}

function inCatalog(what: 'register' | 'deregister', body: object): ActionRequest {
  return { method: 'PUT', path: `catalog/${what}`, body: JSON.stringify(body) }
}
