import type { Identity } from '../ports/identity.ts'
import { parseIp } from '../base/ip.ts'
import type { RegisterCommand } from '../state/catalog/commands.ts'
import { isSame } from '../state/catalog/is-same.ts'
import { nodeCheckId, serverServiceId } from '../state/catalog/model.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from '../state/catalog/model.ts'
import type { CatalogReader } from '../state/catalog/query.ts'

/** What a node says of itself. */
export function nodeDefinition(identity: Identity): NodeDefinition {
  const { nodeName, nodeId, address, nodeMeta = {} } = identity
  const family = parseIp(address)?.length === 16 ? 'ipv6' : 'ipv4'
  return {
    name: nodeName,
    id: nodeId,
    address,
    taggedAddresses: {
      lan: address,
      [`lan_${family}`]: address,
      wan: address,
      [`wan_${family}`]: address,
    },
    meta: { ...nodeMeta, 'consul-network-segment': '' },
  }
}

/** The registration of the node itself, or undefined when the catalog holds just that. */
export function selfRegistration(
  identity: Identity,
  catalog: CatalogReader,
): RegisterCommand | undefined {
  const { nodeName } = identity
  const node = nodeDefinition(identity)
  const service = identity.server ? serverService(identity) : undefined
  const hasNode = isSame(node, catalog.node(nodeName))
  const hasCheck = isSame(nodeCheck, catalog.check(nodeName, nodeCheckId))
  const hasService = service === undefined || isSame(service, catalog.service(nodeName, service.id))
  if (hasNode && hasCheck && hasService) return undefined
  return { kind: 'register', nodeName, node, service, checks: [nodeCheck], replaceChecks: false }
}

const nodeCheck: CheckDefinition = {
  checkId: nodeCheckId,
  name: 'Serf Health Status',
  status: 'passing',
  notes: '',
  output: 'Agent alive and reachable',
  serviceId: '',
  type: '',
  interval: '',
  timeout: '',
  definition: {},
}

/** Servers are found like any service, under Consul's name for them. Not the agent's to adopt. */
function serverService({ ports, version }: Identity): ServiceDefinition {
  return {
    id: serverServiceId,
    name: 'consul',
    address: '',
    port: ports.server,
    tags: [],
    meta: { raft_version: '3', version },
    weights: { passing: 1, warning: 1 },
    taggedAddresses: {},
    enableTagOverride: false,
    owner: 'catalog',
    extra: {},
  }
}
