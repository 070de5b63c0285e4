import type { Reads } from '../ports/reads.ts'
import type { Origin, Writes } from '../ports/writes.ts'
import { reasonOf } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { DeregisterCommand, RegisterCommand } from '../state/catalog/commands.ts'
import type { CommandBody } from '../state/families.ts'
import type { Outcome } from '../state/machine/command.ts'
import type { CheckDefinition } from '../state/catalog/model.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import { nodeMaintenanceId, serviceMaintenancePrefix } from '../health/judge.ts'
import type { Line, LineKind, LimitedLines } from '../process/limited-lines.ts'

const registrations: LineKind = {
  level: 'info',
  rest: (count, seconds) =>
    `${count} more registrations in the last ${seconds} s, including repeated ones`,
}
const deregistrations: LineKind = {
  level: 'info',
  rest: (count, seconds) =>
    `${count} more deregistrations in the last ${seconds} s, including repeated ones`,
}
const maintenance: LineKind = {
  level: 'info',
  rest: (count, seconds) => `${count} more changes of maintenance mode in the last ${seconds} s`,
}

export interface ChangeLogParts {
  readonly lines: LimitedLines
  readonly read: Reads<CatalogReader>['read']
  readonly logger: Logger
}

/** Writes that the log tells of. */
export function loggedWrites(log: ChangeLog, writes: Writes): Writes {
  return { propose: (body, origin) => log.around(body, origin, () => writes.propose(body, origin)) }
}

/** Writes into the log who changed what in the catalog. What changed nothing has no line. */
export class ChangeLog {
  readonly #parts: ChangeLogParts

  constructor(parts: ChangeLogParts) {
    this.#parts = parts
  }

  /** Proposes a command by `propose`, and logs it when it was applied. */
  async around(
    body: CommandBody,
    origin: Origin,
    propose: () => Promise<Outcome>,
  ): Promise<Outcome> {
    if (!isLogged(body)) return propose()
    const wasThere = body.kind === 'deregister' ? this.#wasThere(body) : true
    const outcome = await propose()
    if (outcome.ok && wasThere) this.note(body, origin, outcome.index)
    return outcome
  }

  /** `body` was applied at entry `index`. */
  note(body: RegisterCommand | DeregisterCommand, origin: Origin, index: number): void {
    const { lines } = this.#parts
    if (body.kind === 'deregister') {
      lines.write(kindOf(body.checkId, deregistrations), () => deregistered(body, origin))
      return
    }
    lines.write(kindOf(onlyCheckOf(body)?.checkId, registrations), () =>
      this.#look((catalog) => registered(body, origin, { index, catalog })),
    )
  }

  /** Whether what is to be removed is there; true as well where that is not worth a look. */
  #wasThere({ nodeName, serviceId, checkId }: DeregisterCommand): boolean {
    const kind = kindOf(checkId, deregistrations)
    if (!this.#parts.lines.isOpen(kind)) return true
    const found = this.#look((catalog) => {
      if (serviceId !== undefined) return catalog.service(nodeName, serviceId) !== undefined
      if (checkId !== undefined) return catalog.check(nodeName, checkId) !== undefined
      return catalog.node(nodeName) !== undefined
    })
    return found ?? true
  }

  /** A look that fails must not fail the write it is about: it is done. */
  #look<T>(query: (catalog: CatalogReader) => T): T | undefined {
    try {
      return this.#parts.read(query)
    } catch (error) {
      this.#parts.logger.debug({ reason: reasonOf(error) }, 'cannot look up a change')
      return undefined
    }
  }
}

function isLogged(body: CommandBody): body is RegisterCommand | DeregisterCommand {
  return body.kind === 'register' || body.kind === 'deregister'
}

interface Applied {
  readonly index: number
  readonly catalog: CatalogReader
}

/** The check, of a registration of nothing else. */
function onlyCheckOf({ node, service, checks }: RegisterCommand): CheckDefinition | undefined {
  return node === undefined && service === undefined && checks.length === 1 ? checks[0] : undefined
}

function isMaintenance(checkId: string): boolean {
  return checkId === nodeMaintenanceId || checkId.startsWith(serviceMaintenancePrefix)
}

function kindOf(checkId: string | undefined, otherwise: LineKind): LineKind {
  return checkId !== undefined && isMaintenance(checkId) ? maintenance : otherwise
}

function registered(body: RegisterCommand, origin: Origin, applied: Applied): Line | undefined {
  const { nodeName, service } = body
  const check = onlyCheckOf(body)
  if (check !== undefined && isMaintenance(check.checkId)) {
    const of = service ?? { id: check.serviceId }
    const fields = { node: nodeName, ...named({ service: of.id }), reason: check.notes }
    return { fields: { ...fields, ...whoOf(origin) }, message: 'maintenance mode enabled' }
  }
  const changed = changeOf(body, applied)
  if (changed === undefined) return undefined
  const verb = changed.isNew ? 'registered' : 'changed'
  if (service !== undefined) {
    const { id, name, address, port } = service
    const fields = { service: name, id, node: nodeName, ...named({ address }), port }
    return { fields: { ...fields, ...whoOf(origin) }, message: `service ${verb}` }
  }
  if (check !== undefined) {
    const { checkId, serviceId, status } = check
    const fields = { check: checkId, ...named({ service: serviceId }), node: nodeName, status }
    return { fields: { ...fields, ...whoOf(origin) }, message: `check ${verb}` }
  }
  const fields = {
    node: nodeName,
    ...named({ address: (body.isNodeKept === true ? undefined : body.node?.address) ?? '' }),
  }
  return { fields: { ...fields, ...whoOf(origin) }, message: `node ${verb}` }
}

/** What a registration did, by the indexes of its rows; undefined: nothing that was not so before. */
function changeOf(
  { nodeName, node, service, checks }: RegisterCommand,
  { index, catalog }: Applied,
): { readonly isNew: boolean } | undefined {
  const rows = [
    service === undefined ? undefined : catalog.service(nodeName, service.id),
    service === undefined && node !== undefined ? catalog.node(nodeName) : undefined,
    ...checks.map(({ checkId }) => catalog.check(nodeName, checkId)),
  ].filter((row) => row !== undefined)
  // A write that another server took may not have arrived here yet.
  if (catalog.appliedIndex() < index) return { isNew: true }
  if (!rows.some(({ modifyIndex }) => modifyIndex === index)) return undefined
  return { isNew: rows[0]?.createIndex === index }
}

function deregistered({ nodeName, serviceId, checkId }: DeregisterCommand, origin: Origin): Line {
  const node = { node: nodeName }
  const who = whoOf(origin)
  if (serviceId !== undefined) {
    return { fields: { id: serviceId, ...node, ...who }, message: 'service deregistered' }
  }
  if (checkId === undefined) return { fields: { ...node, ...who }, message: 'node deregistered' }
  if (!isMaintenance(checkId)) {
    return { fields: { check: checkId, ...node, ...who }, message: 'check deregistered' }
  }
  const service =
    checkId === nodeMaintenanceId ? '' : checkId.slice(serviceMaintenancePrefix.length)
  const fields = { ...node, ...named({ service }), ...who }
  return { fields, message: 'maintenance mode disabled' }
}

/** The fields that say something. */
export function named(fields: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

/** `by`: an address, or what of svcd itself; `client`: what the program there says that it is. */
export function whoOf({ actor, client }: Origin): object {
  const by = actor.startsWith('http ') ? actor.slice('http '.length) : actor
  return client === undefined ? { by } : { by, client }
}
