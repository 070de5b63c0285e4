import { checkNotEmpty } from './check.ts'
import type { OptionRow } from './option-row.ts'

/** The audit log; rows of the options table. */
export const auditOptions = {
  'audit.file': {
    kind: 'string',
    default: undefined,
    flag: 'audit-log',
    file: 'audit.file',
    group: 'Logging',
    description:
      'The file of the audit log: each change and each denied request as one line of JSON. Without it there is no audit log.',
    placeholder: 'path',
    example: '/var/log/svcd/audit.log',
    check: checkNotEmpty,
  },
  'audit.required': {
    kind: 'boolean',
    default: false,
    flag: 'audit-log-required',
    file: 'audit.required',
    group: 'Logging',
    description:
      'Refuse requests that change something, with status 503, while the audit log cannot be written.',
  },
  'audit.rotateBytes': {
    kind: 'integer',
    default: 104_857_600,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    flag: 'audit-log-rotate-bytes',
    file: 'audit.rotate_bytes',
    group: 'Logging',
    description: 'Rotate the audit log when it has so many bytes. 0 means never.',
    placeholder: 'n',
  },
  'audit.rotateSeconds': {
    kind: 'seconds',
    default: 0,
    flag: 'audit-log-rotate-duration',
    file: 'audit.rotate_duration',
    group: 'Logging',
    description: 'Rotate the audit log when it is so old. 0s means never.',
    placeholder: 'duration',
    example: '24h',
  },
  'audit.rotateMaxFiles': {
    kind: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    flag: 'audit-log-rotate-max-files',
    file: 'audit.rotate_max_files',
    group: 'Logging',
    description:
      'How many rotated files of the audit log to keep. The agent removes the oldest. 0 means all.',
    placeholder: 'n',
  },
} as const satisfies Record<string, OptionRow>
