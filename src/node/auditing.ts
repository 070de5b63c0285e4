import { requestLine } from '../audit/lines.ts'
import type { AuditSettings } from '../audit/trail.ts'
import { svcdError } from '../base/errors.ts'
import type { Config } from '../config/options.ts'
import type { Audit } from '../ports/audit.ts'
import type { Replica } from '../replica/replica.ts'

/** What the replica thread needs to write the audit log; undefined: the options ask for none. */
export function auditSettings({ audit }: Pick<Config, 'audit'>): AuditSettings | undefined {
  if (audit.file === undefined) return undefined
  return {
    path: audit.file,
    rotateBytes: audit.rotateBytes,
    rotateMs: audit.rotateSeconds * 1000,
    rotateMaxFiles: audit.rotateMaxFiles,
  }
}

/** The audit log for the API; undefined: there is none. */
export function auditOf(
  { audit }: Pick<Config, 'audit'>,
  replica: Pick<Replica, 'audit' | 'newRequestId' | 'status'>,
): Audit | undefined {
  if (audit.file === undefined) return undefined
  return {
    refusal: () => {
      const reason = audit.required ? replica.status?.audit?.failure : undefined
      return reason === undefined ? undefined : svcdError('audit-unwritable', { reason })
    },
    leaveOut: () => replica.audit(undefined),
    record: (request) => replica.audit(requestLine(request, replica.newRequestId())),
  }
}
