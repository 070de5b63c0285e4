import { isDeepStrictEqual } from 'node:util'
import type { AgentCheckDefinition, AgentServiceDefinition } from '../api/backend.ts'
import { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { AgentStore } from '../storage/agent-store.ts'
import { isSameCheck } from './agent-boot.ts'
import type { AgentRegistrations } from './agent-registrations.ts'
import type { AgentSync } from './agent-sync.ts'
import { catalogDefinition } from './check-definition.ts'
import type { CheckRun } from './check-definition.ts'
import { findingText } from './definition-files.ts'
import type { DefinitionFiles, FileCheck, FileService } from './definition-files.ts'
import { isSame } from './node-registration.ts'

export interface ApplyFilesParts {
  readonly store: AgentStore<CheckRun>
  readonly sync: AgentSync
  readonly registrations: AgentRegistrations
  readonly logger: Logger
}

/**
 * Makes the agent have of its files just what they define now: added, changed, removed. What is the
 * same keeps its checks as they run. A file wins over what was registered under its ID over the API.
 * The catalog is told by the sync's queue, which needs no leader at this moment.
 */
export function applyDefinitionFiles(files: DefinitionFiles, parts: ApplyFilesParts): void {
  for (const finding of files.findings) {
    const fields = { at: findingText(finding) }
    if (finding.severity === 'error') parts.logger.error(fields, 'a definition is left out')
    else parts.logger.warn(fields, 'a definition was read with a warning')
  }
  removeServices(files, parts)
  for (const service of files.services) applyService(service, parts)
  removeChecks(files, parts)
  for (const check of files.checks) applyCheck(check, parts)
}

/** Where a file could not be read, nobody knows what it defines: what it defined before stays. */
function isUnread(files: DefinitionFiles): boolean {
  return files.findings.some(({ severity }) => severity === 'error')
}

function removeServices(files: DefinitionFiles, parts: ApplyFilesParts): void {
  const { store, registrations, logger } = parts
  if (isUnread(files)) return
  const wanted = new Set(files.services.map(({ service }) => service.id))
  for (const id of store.serviceIdsOfOwner('file')) {
    if (wanted.has(id)) continue
    logger.info({ service: id }, 'a service is removed: no file defines it any more')
    registrations.dropService(id)
  }
}

function removeChecks(files: DefinitionFiles, parts: ApplyFilesParts): void {
  const { store, registrations, logger } = parts
  if (isUnread(files)) return
  const wanted = new Set([
    ...files.checks.map(({ check }) => check.checkId),
    ...files.services.flatMap(({ checks }) => checks.map(({ check }) => check.checkId)),
  ])
  for (const id of store.checkIdsOfOwner('file')) {
    if (wanted.has(id)) continue
    logger.info({ check: id }, 'a check is removed: no file defines it any more')
    registrations.dropCheck(id)
  }
}

function applyService(given: FileService, parts: ApplyFilesParts): void {
  const { store, registrations, logger } = parts
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
  attempt(given, parts, () => {
    registrations.takeService(definition)
    const fields = { service: id, file: source.path }
    logger.info(fields, `a service was ${stored === undefined ? 'added' : 'changed'} by its file`)
  })
}

function applyCheck(given: FileCheck, parts: ApplyFilesParts): void {
  const { store, registrations, logger } = parts
  if (isUnchanged(given, store)) return
  const { source, ...definition } = given
  const { checkId, serviceId } = given.check
  const isNew = store.check(checkId) === undefined
  attempt(given, parts, () => {
    registrations.takeCheck(definition)
    const fields = { check: checkId, service: serviceId, file: source.path }
    logger.info(fields, `a check was ${isNew ? 'added' : 'changed'} by its file`)
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
  { logger }: ApplyFilesParts,
  take: () => void,
): void {
  try {
    take()
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    const at = `${source.path}:${source.line}:${source.column}`
    logger.error({ at, reason: error.message }, 'a definition is left out')
  }
}
