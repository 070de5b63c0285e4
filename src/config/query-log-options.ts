import { checkNotEmpty } from './check.ts'
import type { OptionRow } from './option-row.ts'

/** The query log of DNS; rows of the options table. */
export const queryLogOptions = {
  'dns.queryLog.file': {
    kind: 'string',
    default: undefined,
    flag: 'dns-query-log',
    file: 'dns_config.query_log.file',
    group: 'DNS',
    description:
      'The file of the query log: each DNS query with its answer code as one line of JSON. Use - for standard output. If you do not set it, the agent writes no query log.',
    placeholder: 'path',
    example: '/var/log/svcd/queries.log',
    check: checkNotEmpty,
    isReloadable: true,
  },
  'dns.queryLog.sample': {
    kind: 'integer',
    default: 1,
    min: 1,
    max: 1_000_000,
    flag: 'dns-query-log-sample',
    file: 'dns_config.query_log.sample',
    group: 'DNS',
    description: 'Write one of so many queries to the query log, chosen at random.',
    placeholder: 'n',
    example: '100',
    isReloadable: true,
  },
  'dns.queryLog.rotateBytes': {
    kind: 'integer',
    default: 104_857_600,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    flag: 'dns-query-log-rotate-bytes',
    file: 'dns_config.query_log.rotate_bytes',
    group: 'DNS',
    description: 'Rotate the query log when it has so many bytes. 0 means never.',
    placeholder: 'n',
    isReloadable: true,
  },
  'dns.queryLog.rotateSeconds': {
    kind: 'seconds',
    default: 0,
    flag: 'dns-query-log-rotate-duration',
    file: 'dns_config.query_log.rotate_duration',
    group: 'DNS',
    description: 'Rotate the query log when it is so old. 0s means never.',
    placeholder: 'duration',
    example: '1h',
    isReloadable: true,
  },
  'dns.queryLog.rotateMaxFiles': {
    kind: 'integer',
    default: 8,
    min: 0,
    max: 1_000_000,
    flag: 'dns-query-log-rotate-max-files',
    file: 'dns_config.query_log.rotate_max_files',
    group: 'DNS',
    description:
      'How many rotated files of the query log to keep. The agent removes the oldest. 0 means all.',
    placeholder: 'n',
    isReloadable: true,
  },
} as const satisfies Record<string, OptionRow>
