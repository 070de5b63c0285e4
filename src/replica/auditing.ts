import { AuditTrail } from '../audit/trail.ts'
import type { Logger } from '../base/log.ts'
import type { LogReader } from '../raft/storage.ts'
import type { StateWriter } from '../storage/state.ts'
import type { CatalogStateMachineParts } from './catalog-state-machine.ts'
import type { ReplicaSettings } from './messages.ts'

const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

export interface AuditingParts {
  readonly settings: ReplicaSettings
  readonly log: Pick<LogReader, 'state' | 'entries'>
  readonly state: Pick<StateWriter, 'appliedIndex' | 'outcomeOf'>
  readonly logger: Logger
  /** The status is another one. */
  readonly onTurn: () => void
}

/** The audit trail of this server; undefined: the options ask for none. */
export function openAudit(parts: AuditingParts): AuditTrail | undefined {
  const { settings, log, state, logger, onTurn } = parts
  if (settings.audit === undefined) return undefined
  return new AuditTrail({
    settings: settings.audit,
    node: settings.name,
    log,
    appliedIndex: () => state.appliedIndex,
    outcomeOf: (requestId) => state.outcomeOf(requestId),
    logger,
    clock,
    onChange: onTurn,
  })
}

/** Hands what was applied to the audit trail. */
export function auditedBy(audit: AuditTrail | undefined): CatalogStateMachineParts['onAudited'] {
  if (audit === undefined) return undefined
  return (entries, commands, outcomes) => {
    audit.applied(
      entries.map((entry, at) => ({
        entry,
        command: commands[at]?.command,
        outcome: outcomes[at],
      })),
    )
  }
}
