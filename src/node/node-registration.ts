import { isDeepStrictEqual } from 'node:util'
import type { Identity } from '../api/backend.ts'
import { consulVersion } from '../api/members.ts'
import { parseIp } from '../base/ip.ts'
import type { RegisterCommand } from '../catalog/command.ts'
import { serverServiceId } from '../catalog/model.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from '../catalog/model.ts'
import type { CatalogReader } from '../catalog/query.ts'

/** Consul's own name for the check that says whether a node is alive. */
const nodeCheckId = 'serfHealth'

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
    meta: { ...nodeMeta, 'consul-network-segment': '', 'consul-version': consulVersion },
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

/** Whether a row says all that a definition says. */
export function isSame<T extends object>(definition: T, row: T | undefined): boolean {
  if (row === undefined) return false
  for (const key of Object.keys(definition) as (keyof T)[]) {
    if (!isDeepStrictEqual(definition[key], row[key])) return false
  }
  return true
}
