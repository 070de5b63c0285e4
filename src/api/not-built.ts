import type { FastifyInstance, FastifyRequest } from 'fastify'
import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Tokens } from '../ports/tokens.ts'
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
    what: "other endpoint for Consul's web UI",
    paths: ['internal/ui/*', 'internal/federation-state/*', 'internal/federation-states/*'],
  },
]

/** Of access control. With access control off they answer 401, like Consul. */
const notBuiltOfAcls = [
  'acl/auth-method',
  'acl/auth-method/*',
  'acl/auth-methods',
  'acl/authorize',
  'acl/binding-rule',
  'acl/binding-rule/*',
  'acl/binding-rules',
  'acl/login',
  'acl/logout',
  'acl/oidc/*',
  'acl/templated-policies',
  'acl/templated-policy/*',
] as const

/** Consul 1.11 removed them. */
const removedOfAcls = [
  'acl/clone/*',
  'acl/create',
  'acl/destroy/*',
  'acl/info/*',
  'acl/list',
  'acl/rules/translate',
  'acl/rules/translate/*',
  'acl/update',
] as const

const restOfAcls = ['acl/*', 'agent/token/*'] as const

/** `built`: the paths that have an endpoint, as the router takes them. */
export function addNotBuiltRoutes(
  app: FastifyInstance,
  built: ReadonlySet<string>,
  logger: Logger,
  tokens: Pick<Tokens, 'isEnabled'>,
): void {
  const taken = new Set(built)
  for (const { what, paths, code = 'not-built' } of notBuilt) {
    const refusal = refusalOf(what, code, logger)
    for (const path of paths) addRefusal(app, `/v1/${path}`, taken, refusal(path))
  }
  const whenOn = (fault: Fault): Fault => {
    return (request) => (tokens.isEnabled ? fault(request) : svcdError('acl-disabled', {}))
  }
  const refusal = refusalOf('auth methods and templated policies', 'not-built', logger)
  for (const path of notBuiltOfAcls) addRefusal(app, `/v1/${path}`, taken, whenOn(refusal(path)))
  for (const path of removedOfAcls) {
    const removed = (): SvcdError => svcdError('acl-legacy', { path: `/v1/${path}` })
    addRefusal(app, `/v1/${path}`, taken, whenOn(removed))
  }
  for (const path of restOfAcls) {
    addRefusal(
      app,
      `/v1/${path}`,
      taken,
      whenOn(() => svcdError('unknown-path', {})),
    )
  }
}

type Fault = (request: FastifyRequest) => SvcdError

/** What answers for a path. The first request for the feature is logged. */
function refusalOf(
  what: string,
  code: 'not-built' | 'connect-not-built',
  logger: Logger,
): (path: string) => Fault {
  let isLogged = false
  return (path) =>
    ({ method, ip }) => {
      if (!isLogged) {
        isLogged = true
        const asked = { client: ip, method, path: `/v1/${path}` }
        logger.warn(asked, `a client requested a feature that svcd does not have: ${what}`)
      }
      return svcdError(code, { what, path: `/v1/${path.replace(/\*$/, '')}` })
    }
}
