import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { consulVersion } from '../../../base/version.ts'
import type { Check, Service, Status } from '../../../state/catalog/model.ts'
import { agentCheck, agentService } from '../../../definition/agent-registration.ts'
import { rowsOf } from '../../http/answer.ts'
import type { Answer } from '../../http/answer.ts'
import type { Backend } from '../../../ports/backend.ts'
import { originOf } from '../catalog/catalog.ts'
import { debugConfig } from '../observe/debug-config.ts'
import { decodeBody } from '../../../definition/decode.ts'
import { agentServiceJson, checkJson } from '../../http/encode.ts'
import { checkFields, filtered, filterOf, memberFields, serviceFields } from '../../http/filters.ts'
import { memberJson, serverMembers } from './members.ts'
import { flagParameter, parameter, parametersOf, readOptions } from '../../http/parameters.ts'
import { named } from './nearest-id.ts'
import { isPretty, sendBody, sendDone, sendJson, warn } from '../../http/reply.ts'
import { placeWarnings } from '../../../definition/registration-warnings.ts'
import { addRoute, tailOf } from '../../http/route.ts'
import { SaidWarnings, type WarningLines } from '../../http/said-warnings.ts'
import { agentCheckShape, agentServiceShape, checkUpdateShape } from '../../../definition/shapes.ts'
import { writeSliced } from '../../http/sliced-answer.ts'
import { explained } from './unknown-service.ts'
import { checkedStatus, cutOutput } from '../../../definition/validate.ts'

/** agent/*: the services and checks of this agent, the agent itself, and the cluster it is in. */
export function addAgentRoutes(app: FastifyInstance, backend: Backend, lines: WarningLines): void {
  addServices(app, backend, lines)
  addChecks(app, backend)
  addTtlReports(app, backend)
  addSelf(app, backend)
}

const paths = {
  deregisterService: '/v1/agent/service/deregister/',
  deregisterCheck: '/v1/agent/check/deregister/',
  update: '/v1/agent/check/update/',
}

function addServices(app: FastifyInstance, backend: Backend, lines: WarningLines): void {
  const { agent, identity } = backend
  const said = new SaidWarnings(lines)

  addRoute(app, 'PUT', '/v1/agent/service/register', async (request, reply) => {
    const body = decodeBody(request.body, agentServiceShape)
    const { definition, warnings: own } = agentService(body)
    const replaceExistingChecks = flagParameter(parametersOf(request), 'replace-existing-checks')
    const { id, name } = definition.service
    const origin = originOf(request, `agent/service/register ${id}`)
    const { replaced } = await agent.registerService(definition, { replaceExistingChecks }, origin)
    const place = placeWarnings(definition.service, replaced, identity.address)
    const warnings = place.length === 0 ? own : [...own, ...place]
    warn(reply, warnings)
    said.say({ id, name }, warnings)
    return sendDone(reply)
  })

  addRoute(app, 'PUT', `${paths.deregisterService}*`, async (request, reply) => {
    const id = tailOf(request, paths.deregisterService)
    const origin = originOf(request, `agent/service/deregister ${id}`)
    const act = (): Promise<void> => agent.deregisterService(id, origin)
    await named(agent, () => explained(act, id, backend), id)
    return sendDone(reply)
  })

  addRoute(app, 'GET', '/v1/agent/services', async (request, reply) => {
    readOptions(parametersOf(request), identity)
    const filter = filterOf(parametersOf(request), serviceFields)
    const entryOf = (service: Service) => {
      const row = agentServiceJson(service, identity.datacenter)
      return filter?.(row) === false ? undefined : ([row.ID, row] as const)
    }
    return sendMap(backend, request, reply, () => rowsOf(agent.services(), entryOf))
  })
}

async function sendMap(
  backend: Backend,
  request: FastifyRequest,
  reply: FastifyReply,
  entries: () => Iterable<readonly [string, object] | undefined>,
): Promise<FastifyReply> {
  const answer = (): Answer => ({ kind: 'map', entries: entries() })
  return sendBody(request, reply, await writeSliced(backend, answer, isPretty(request)))
}

function addChecks(app: FastifyInstance, backend: Backend): void {
  const { agent, identity } = backend

  addRoute(app, 'GET', '/v1/agent/checks', async (request, reply) => {
    readOptions(parametersOf(request), identity)
    const filter = filterOf(parametersOf(request), checkFields)
    const entryOf = (check: Check) => {
      const row = checkJson(check)
      return filter?.(row) === false ? undefined : ([row.CheckID, row] as const)
    }
    return sendMap(backend, request, reply, () => rowsOf(agent.checks(), entryOf))
  })

  addRoute(app, 'PUT', '/v1/agent/check/register', async (request, reply) => {
    const { definition, warnings } = agentCheck(decodeBody(request.body, agentCheckShape))
    const { checkId, serviceId } = definition.check
    if (serviceId !== '' && agent.service(serviceId) === undefined) {
      throw svcdError('unknown-service-of-check', { id: serviceId })
    }
    await agent.registerCheck(definition, originOf(request, `agent/check/register ${checkId}`))
    warn(reply, warnings)
    return sendDone(reply)
  })

  addRoute(app, 'PUT', `${paths.deregisterCheck}*`, async (request, reply) => {
    const id = tailOf(request, paths.deregisterCheck)
    const origin = originOf(request, `agent/check/deregister ${id}`)
    await named(agent, () => agent.deregisterCheck(id, origin), id)
    return sendDone(reply)
  })
}

const reports: readonly (readonly [string, Status])[] = [
  ['pass', 'passing'],
  ['warn', 'warning'],
  ['fail', 'critical'],
]

function addTtlReports(app: FastifyInstance, backend: Backend): void {
  const { agent } = backend

  for (const [verb, status] of reports) {
    const prefix = `/v1/agent/check/${verb}/`
    addRoute(app, 'PUT', `${prefix}*`, async (request, reply) => {
      const id = tailOf(request, prefix)
      const note = cutOutput(parameter(parametersOf(request), 'note') ?? '')
      const origin = originOf(request, `agent/check/${verb} ${id}`)
      await named(agent, () => agent.updateTtl(id, status, note, origin), id)
      return sendDone(reply)
    })
  }

  addRoute(app, 'PUT', `${paths.update}*`, async (request, reply) => {
    const id = tailOf(request, paths.update)
    const { Status, Output } = decodeBody(request.body, checkUpdateShape)
    if (Status === undefined || Status === '') {
      throw svcdError('invalid-reported-status', { status: '' })
    }
    const status = checkedStatus(Status, 'invalid-reported-status')
    const output = cutOutput(Output ?? '')
    const origin = originOf(request, `agent/check/update ${id}`)
    await named(agent, () => agent.updateTtl(id, status, output, origin), id)
    return sendDone(reply)
  })
}

function addSelf(app: FastifyInstance, backend: Backend): void {
  const { identity } = backend
  addRoute(app, 'GET', '/v1/agent/self', async (request, reply) =>
    sendJson(request, reply, selfJson(backend)),
  )
  addRoute(app, 'GET', '/v1/agent/members', async (request, reply) => {
    readOptions(parametersOf(request), identity)
    const filter = filterOf(parametersOf(request), memberFields)
    // One datacenter's, under the names that they have among several.
    const isWan = flagParameter(parametersOf(request), 'wan')
    const suffix = isWan ? `.${identity.datacenter}` : ''
    const rows = serverMembers({ backend })
      .map((member) => memberJson(member, identity))
      .map((row) => ({ ...row, Name: `${row.Name}${suffix}` }))
    return sendJson(request, reply, filtered(rows, filter))
  })
  addRoute(app, 'PUT', '/v1/agent/reload', async (request, reply) => {
    const { taken, leftOut, heldBack, restartNeeded } = await backend.reload()
    const report = { Taken: taken, LeftOut: leftOut, HeldBack: heldBack }
    return sendJson(request, reply, { ...report, RestartNeeded: restartNeeded })
  })
}

function selfJson(backend: Backend) {
  const { identity, agent } = backend
  const leader = backend.leader()
  const { services, checks } = agent.counts()
  const own = serverMembers({ backend }).find(({ server }) => server.id === identity.nodeId)
  return {
    Config: {
      Datacenter: identity.datacenter,
      PrimaryDatacenter: identity.datacenter,
      NodeName: identity.nodeName,
      NodeID: identity.nodeId,
      Revision: '',
      Server: identity.server,
      Version: consulVersion,
      SvcdVersion: identity.version,
    },
    DebugConfig: debugConfig(identity),
    Coord: { Vec: Array.from({ length: 8 }, () => 0), Error: 1.5, Adjustment: 0, Height: 1e-5 },
    Member: own === undefined ? null : memberJson(own, identity),
    Stats: {
      agent: {
        checks: String(checks),
        services: String(services),
      },
      build: { prerelease: '', revision: '', version: identity.version },
      consul: {
        acl: 'disabled',
        known_datacenters: '1',
        leader: String(backend.isLeader()),
        leader_addr: leader,
        server: String(identity.server),
      },
      ...backend.statistics(),
    },
    Meta: backend.read((catalog) => catalog.node(identity.nodeName))?.meta ?? {},
    // There is no port for proxies; clients that look for one are to find that out.
    xDS: { SupportedProxies: {}, Port: -1, Ports: { Plaintext: -1, TLS: -1 } },
  }
}
