import type { FastifyInstance } from 'fastify'
import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { addRefusal } from '../http/mount.ts'

/** Endpoints of Consul that svcd does not have. */
export interface NotBuilt {
  /** The feature that they belong to, as the answer names it. */
  readonly what: string
  /** Below /v1. A path that ends in `/*` stands for itself and everything below it. */
  readonly paths: readonly string[]
  /** Another error, if Consul has its own text for a disabled feature. */
  readonly code?: 'not-built' | 'connect-not-built'
}

/**
 * The endpoints that answer 501. A client would take a 404 for an answer, such as "there is no such key",
 * and might then believe that it holds a lock. A row has no effect once its path has a route.
 */
export const notBuilt: readonly NotBuilt[] = [
  {
    what: 'network coordinates',
    paths: ['coordinate/datacenters', 'coordinate/nodes', 'coordinate/node/*', 'coordinate/update'],
  },
  {
    what: 'service mesh (Connect)',
    code: 'connect-not-built',
    paths: [
      'agent/connect/authorize',
      'agent/connect/ca/roots',
      'agent/connect/ca/leaf/*',
      'agent/connect/proxy/*',
      'connect/ca/configuration',
      'connect/ca/roots',
      'connect/intentions',
      'connect/intentions/*',
      'discovery-chain/*',
    ],
  },
  {
    what: 'configuration entries',
    paths: ['config', 'config/*', 'exported-services', 'imported-services'],
  },
  { what: 'cluster peering', paths: ['peering', 'peering/*', 'peerings'] },
  { what: 'gossip keyring', paths: ['operator/keyring'] },
  {
    what: 'Autopilot state',
    paths: ['operator/autopilot/state'],
  },
  { what: 'usage reports', paths: ['operator/usage', 'operator/utilization'] },
  {
    what: "endpoint for Consul's web UI",
    paths: ['internal/ui/*', 'internal/federation-state/*', 'internal/federation-states/*'],
  },
]

/** These answer like Consul with ACLs off, because svcd has no ACLs. */
const ofAcls = ['acl/*', 'agent/token/*', 'internal/acl/authorize'] as const

/** `built`: the paths that have an endpoint, as the router takes them. */
export function addNotBuiltRoutes(
  app: FastifyInstance,
  built: ReadonlySet<string>,
  logger: Logger,
): void {
  const taken = new Set(built)
  for (const { what, paths, code = 'not-built' } of notBuilt) {
    let isLogged = false
    for (const path of paths) {
      addRefusal(app, `/v1/${path}`, taken, ({ method, ip }): SvcdError => {
        if (!isLogged) {
          isLogged = true
          const asked = { client: ip, method, path: `/v1/${path}` }
          logger.warn(asked, `a client requested a feature that svcd does not have: ${what}`)
        }
        return svcdError(code, { what, path: `/v1/${path.replace(/\*$/, '')}` })
      })
    }
  }
  for (const path of ofAcls) {
    addRefusal(app, `/v1/${path}`, taken, () => svcdError('acl-disabled', {}))
  }
}
