import { isDeepStrictEqual } from 'node:util'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../../definition/agent-definition.ts'
import type { ReloadReport } from '../../ports/reload.ts'
import { SvcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { AgentStore } from '../../storage/agent/store.ts'
import { isSameCheck } from '../boot.ts'
import type { AgentRegistrations } from '../registrations.ts'
import type { AgentSync } from '../sync.ts'
import { catalogDefinition } from '../checks/definition.ts'
import type { CheckRun } from '../checks/definition.ts'
import { findingText } from './document.ts'
import type { DefinitionFiles, FileCheck, FileService, Finding } from './document.ts'
import { isSame } from '../../state/catalog/is-same.ts'

export interface ApplyFilesParts {
  readonly store: AgentStore<CheckRun>
  readonly sync: AgentSync
  readonly registrations: AgentRegistrations
  readonly logger: Logger
}

/** What became of files that were read. */
export type FilesReport = Pick<ReloadReport, 'taken' | 'leftOut' | 'heldBack'>

/** What {@link applyDefinitionFiles} fills while it works. */
interface Work extends ApplyFilesParts {
  readonly taken: string[]
  readonly leftOut: string[]
  readonly heldBack: string[]
}

/**
 * Makes the agent have exactly what its files define now: added, changed, removed. Unchanged
 * definitions keep their checks as they run. A file replaces an API registration with the same ID.
 * The catalog is updated by the sync's queue, which needs no leader at this moment.
 */
export function applyDefinitionFiles(files: DefinitionFiles, parts: ApplyFilesParts): FilesReport {
  const work: Work = { ...parts, taken: [], leftOut: [], heldBack: [] }
  for (const finding of files.findings) {
    const fields = { at: findingText(finding) }
    if (finding.severity === 'error') {
      work.leftOut.push(findingText(finding))
      parts.logger.error(fields, 'skipping an invalid definition')
    } else parts.logger.warn(fields, 'definition warning')
  }
  const unread = files.findings.find(({ severity, isWholeFile }) => {
    return severity === 'error' || isWholeFile
  })
  removeServices(files, unread, work)
  for (const service of files.services) applyService(service, work)
  removeChecks(files, unread, work)
  for (const check of files.checks) applyCheck(check, work)
  const { taken, leftOut, heldBack } = work
  return { taken, leftOut, heldBack }
}

function removeServices(files: DefinitionFiles, unread: Finding | undefined, work: Work): void {
  const { store, registrations, logger } = work
  // A definition that is faulty is left out, and says so; the service has not gone from its file.
  const named = unread === undefined ? [] : files.serviceIds
  const wanted = new Set([...files.services.map(({ service }) => service.id), ...named])
  const gone = store.serviceIdsOfOwner('file').filter((id) => !wanted.has(id))
  if (unread !== undefined) return holdBack('service', gone, unread, work)
  for (const id of gone) {
    logger.info({ service: id }, 'removing a service: no file defines it any more')
    work.taken.push(`service ${id}: removed`)
    registrations.dropService(id)
  }
}

function removeChecks(files: DefinitionFiles, unread: Finding | undefined, work: Work): void {
  const { store, registrations, logger } = work
  const wanted = new Set([
    ...files.checks.map(({ check }) => check.checkId),
    ...files.services.flatMap(({ checks }) => checks.map(({ check }) => check.checkId)),
  ])
  const gone = store.checkIdsOfOwner('file').filter((id) => !wanted.has(id))
  // Those of a service that stays are named with it.
  const alone = gone.filter((id) => store.check(id)?.check.serviceId === '')
  if (unread !== undefined) return holdBack('check', alone, unread, work)
  for (const id of gone) {
    logger.info({ check: id }, 'removing a check: no file defines it any more')
    work.taken.push(`check ${id}: removed`)
    registrations.dropCheck(id)
  }
}

/** A file that could not be read may define anything: its earlier definitions stay. */
function holdBack(
  kind: 'service' | 'check',
  ids: readonly string[],
  unread: Finding,
  { heldBack, logger }: Work,
): void {
  if (ids.length === 0) return
  const because = findingText(unread)
  for (const id of ids) heldBack.push(`${kind} ${id}: no file defines it any more`)
  logger.warn(
    { [`${kind}s`]: ids, because },
    `keeping ${kind}s that no file defines any more until every file can be read`,
  )
}

function applyService(given: FileService, work: Work): void {
  const { store, registrations, logger } = work
  const { source, checks } = given
  const { id } = given.service
  const stored = store.service(id)?.service
  const tags = stored?.enableTagOverride === true ? stored.tags : given.service.tags
  const service = { ...given.service, tags }
  const isSameAsStored =
    stored !== undefined &&
    isSame(service, stored) &&
    checks.every((check) => isUnchanged(check, store))
  if (isSameAsStored) return
  const definition: AgentServiceDefinition = { service, checks }
  attempt(given, work, () => {
    registrations.takeService(definition)
    const fields = { service: id, file: source.path }
    const change = stored === undefined ? 'added' : 'changed'
    work.taken.push(`service ${id}: ${change} by ${source.path}`)
    logger.info(fields, `${change} a service from its file`)
    if (stored !== undefined && stored.name !== service.name) {
      const names = { service: id, was: stored.name, name: service.name }
      logger.warn(names, 'a file uses the ID of another service and replaces it')
    }
  })
}

function applyCheck(given: FileCheck, work: Work): void {
  const { store, registrations, logger } = work
  if (isUnchanged(given, store)) return
  const { source, ...definition } = given
  const { checkId, serviceId } = given.check
  const change = store.check(checkId) === undefined ? 'added' : 'changed'
  attempt(given, work, () => {
    registrations.takeCheck(definition)
    const fields = { check: checkId, service: serviceId, file: source.path }
    work.taken.push(`check ${checkId}: ${change} by ${source.path}`)
    logger.info(fields, `${change} a check from its file`)
  })
}

function isUnchanged({ check, ...given }: AgentCheckDefinition, store: ApplyFilesParts['store']) {
  const { source: _source, ...run } = given as CheckRun & { readonly source?: unknown }
  const stored = store.check(check.checkId)
  if (stored === undefined || !isDeepStrictEqual(stored.run, run)) return false
  const definition = { ...check.definition, ...catalogDefinition(run) }
  return isSameCheck({ ...check, definition }, stored.check)
}

function attempt(
  { source }: FileService | FileCheck,
  { logger, leftOut }: Work,
  take: () => void,
): void {
  try {
    take()
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    const at = `${source.path}:${source.line}:${source.column}`
    leftOut.push(`${at}: ${error.message}`)
    logger.error({ at, reason: error.message }, 'skipping an invalid definition')
  }
}
