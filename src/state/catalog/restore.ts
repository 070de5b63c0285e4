import type { RestoreContext } from '../machine/family.ts'
import type { CatalogCommand, RegisterCommand } from './commands.ts'
import { isOfAgent, nodeCheckId, serverServiceId } from './model.ts'
import type {
  Check,
  CheckDefinition,
  Node,
  NodeDefinition,
  Service,
  ServiceDefinition,
} from './model.ts'
import type { CatalogReader } from './query.ts'
import { isSame } from './is-same.ts'

// What turns one catalog into another: commands of which each stands for itself.

interface RestoreSources extends RestoreContext {
  /** What the catalog is to become. */
  readonly archived: CatalogReader
  readonly present: CatalogReader
}

/** Names in lower case. `present` need not show yet what the plan has yielded. */
interface Plan extends RestoreSources {
  /** Those of the archived nodes that the plan has come to. */
  readonly kept: ReadonlySet<string>
  /** The nodes that it has deregistered as the present names of archived nodes. */
  readonly gone: Set<string>
}

/** Undefined: something was compared and is the same. The caller may pause at every step. */
type Steps = Generator<readonly CatalogCommand[] | undefined>

/** Of a command, far below the largest that is accepted. */
const checksMax = 64
const deadNode = {
  status: 'critical',
  evidence: 'absence',
  output: 'Agent not live or unreachable',
} as const

/**
 * The commands that are missing between the present catalog and the archived one, in an order in
 * which nothing disappears that is to stay. Of a node of the archive everything is compared; equal
 * rows cost no command, so that a restore of nearly the same state is short.
 */
export function* restoreCommands(
  archived: CatalogReader,
  present: CatalogReader,
  { memberIds }: RestoreContext,
): Steps {
  const sources = { archived, present, memberIds }
  const kept = new Set<string>()
  const gone = new Set<string>()
  for (const node of archived.nodes()) {
    const name = memberNameOf(node, sources)
    kept.add((name ?? node.name).toLowerCase())
    if (name === undefined) yield* nodeCommands(node, { ...sources, kept, gone })
    else yield* memberCommands(node, name, sources)
  }
  for (const { name, id } of present.nodes()) {
    if (kept.has(name.toLowerCase()) || gone.has(name.toLowerCase())) continue
    if (!memberIds.has(id)) yield [{ kind: 'deregister', nodeName: name }]
    else yield* foreignServices(name, new Set(), present)
  }
}

/** The present name of the server that an archived node is, by its id or its name. */
function memberNameOf(
  { name, id }: Node,
  { present, memberIds }: RestoreSources,
): string | undefined {
  if (id !== '' && memberIds.has(id)) return present.nodeById(id)?.name
  const namesake = present.node(name)
  return namesake !== undefined && memberIds.has(namesake.id) ? namesake.name : undefined
}

/** A node that is not a server of this cluster becomes what the archive says. */
function* nodeCommands(node: Node, plan: Plan): Steps {
  const { archived, present, gone } = plan
  const nodeName = node.name
  const definition = nodeDefinitionOf(node)
  const services = archived.servicesOfNode(nodeName)
  const isServer = services.some(({ id, owner }) => id === serverServiceId && owner === 'catalog')
  const wanted = checksByService(archived.checksOfNode(nodeName), isServer)
  const isGone = gone.has(nodeName.toLowerCase())
  const namesake = isGone ? undefined : present.node(nodeName)
  // Another machine under that name goes with all that is registered on it.
  const isReplaced =
    namesake !== undefined && (isOther(node, namesake) || isKept(definition, namesake))
  if (isReplaced) yield [{ kind: 'deregister', nodeName }]
  yield* otherNames(node, plan)
  const presentNode = isReplaced ? undefined : namesake
  const isNew = isGone || isReplaced
  const found = checksByService(isNew ? [] : present.checksOfNode(nodeName), false)
  const nodeChecks = differing(wanted.get('') ?? [], found.get('') ?? [])
  if (!isSame(definition, presentNode) || nodeChecks.length > 0) {
    yield [...registrations({ nodeName, node: definition }, nodeChecks)]
  }
  for (const service of services) {
    const own = { nodeName, node: definition, service: serviceDefinitionOf(service) }
    const checks = wanted.get(service.id) ?? []
    const before = isNew ? undefined : present.service(nodeName, service.id)
    if (isSame(own.service, before) && areSame(checks, found.get(service.id) ?? [])) yield
    else yield [...registrations(own, checks)]
  }
  if (presentNode === undefined) return
  const serviceIds = new Set(services.map(({ id }) => id))
  for (const { id } of present.servicesOfNode(nodeName)) {
    if (!serviceIds.has(id)) yield [{ kind: 'deregister', nodeName, serviceId: id }]
  }
  // A check that belongs to a service by now has moved.
  const checkIds = new Set([...wanted.values()].flat().map(({ checkId }) => checkId))
  for (const { checkId } of found.get('') ?? []) {
    if (!checkIds.has(checkId)) yield [{ kind: 'deregister', nodeName, checkId }]
  }
}

/**
 * A node that has been renamed since loses its present name first: registered under the old one again, it would
 * bring along all that it has now. A name that the plan has come to already has been given to its own node.
 */
function* otherNames({ name: own, id }: Node, { present, kept, gone }: Plan): Steps {
  for (const { name } of id === '' ? [] : present.nodesWithId(id)) {
    const key = name.toLowerCase()
    if (key === own.toLowerCase() || kept.has(key) || gone.has(key)) continue
    gone.add(key)
    yield [{ kind: 'deregister', nodeName: name }]
  }
}

/** Registered without an address, a node that is there stays as it is; see `register.ts`. */
function isKept(definition: NodeDefinition, present: Node): boolean {
  return definition.address === '' && !isSame(definition, present)
}

function isOther(one: Node, other: Node): boolean {
  return one.id !== '' && other.id !== '' && one.id !== other.id
}

/**
 * A server of this cluster is the authority for itself and for what its agent has registered now.
 * It gets back what it has lost, and loses what others wrote beside it since.
 */
function* memberCommands(
  node: Node,
  nodeName: string,
  { archived, present }: RestoreSources,
): Steps {
  const wanted = checksByService(archived.checksOfNode(node.name), false)
  const found = present.checksOfNode(nodeName)
  const byService = checksByService(found, false)
  const foundIds = new Set(found.map(({ checkId }) => checkId))
  const lost = (wanted.get('') ?? []).filter(({ checkId }) => !foundIds.has(checkId))
  if (lost.length > 0) yield [...registrations({ nodeName }, lost)]
  const services = archived.servicesOfNode(node.name)
  for (const service of services) {
    const before = present.service(nodeName, service.id)
    if (service.id === serverServiceId || (before !== undefined && isOfAgent(before))) continue
    const checks = wanted.get(service.id) ?? []
    const definition = serviceDefinitionOf(service)
    const own = byService.get(service.id) ?? []
    if (isSame(definition, before) && areSame(checks, own)) yield
    else yield [...registrations({ nodeName, service: definition }, checks)]
  }
  yield* foreignServices(nodeName, new Set(services.map(({ id }) => id)), present)
}

/** The commands that bring a node back as it is. */
export function* nodeRegistrations(
  name: string,
  catalog: CatalogReader,
): Generator<CatalogCommand> {
  const row = catalog.node(name)
  if (row === undefined) return
  const node = nodeDefinitionOf(row)
  const checks = checksByService(catalog.checksOfNode(name), false)
  yield* registrations({ nodeName: name, node }, checks.get('') ?? [])
  for (const service of catalog.servicesOfNode(name)) {
    const definition = serviceDefinitionOf(service)
    yield* registrations(
      { nodeName: name, node, service: definition },
      checks.get(service.id) ?? [],
    )
  }
}

/** Services on a server that its agent does not know, beside those that are `kept`. */
function* foreignServices(
  nodeName: string,
  kept: ReadonlySet<string>,
  present: CatalogReader,
): Steps {
  for (const service of present.servicesOfNode(nodeName)) {
    const { id } = service
    if (isOfAgent(service) || id === serverServiceId || kept.has(id)) continue
    yield [{ kind: 'deregister', nodeName, serviceId: id }]
  }
}

type Registered = Pick<RegisterCommand, 'nodeName' | 'node' | 'service'>

/** One command, or several when there are very many checks. */
function* registrations(
  registered: Registered,
  checks: readonly CheckDefinition[],
): Generator<CatalogCommand> {
  for (let at = 0; at === 0 || at < checks.length; at += checksMax) {
    yield {
      kind: 'register',
      ...registered,
      checks: checks.slice(at, at + checksMax),
      replaceChecks: at === 0 && registered.service !== undefined,
    }
  }
}

/** A server of another cluster is not alive in this one, whatever it was when the archive was made. */
function checksByService(
  checks: readonly Check[],
  isForeignServer: boolean,
): ReadonlyMap<string, readonly CheckDefinition[]> {
  const byService = new Map<string, CheckDefinition[]>()
  for (const row of checks) {
    const check = checkDefinitionOf(row)
    const isDead = isForeignServer && check.checkId === nodeCheckId
    const told: CheckDefinition = isDead ? { ...check, ...deadNode } : check
    const list = byService.get(check.serviceId)
    if (list === undefined) byService.set(check.serviceId, [told])
    else list.push(told)
  }
  return byService
}

function differing(
  wanted: readonly CheckDefinition[],
  found: readonly CheckDefinition[],
): readonly CheckDefinition[] {
  const byId = new Map(found.map((check) => [check.checkId, check] as const))
  return wanted.filter((check) => !isSame(check, byId.get(check.checkId)))
}

function areSame(wanted: readonly CheckDefinition[], found: readonly CheckDefinition[]): boolean {
  return wanted.length === found.length && differing(wanted, found).length === 0
}

function nodeDefinitionOf(row: Node): NodeDefinition {
  const { createIndex: _created, modifyIndex: _modified, ...definition } = row
  return definition
}

function serviceDefinitionOf(row: Service): ServiceDefinition {
  const { node: _node, createIndex: _created, modifyIndex: _modified, ...definition } = row
  return definition
}

function checkDefinitionOf(row: Check): CheckDefinition {
  const { node: _node, serviceName: _name, serviceTags: _tags, ...rest } = row
  const { createIndex: _created, modifyIndex: _modified, ...definition } = rest
  return definition
}
