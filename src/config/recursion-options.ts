import { checkNotEmpty, checkPositiveSeconds } from './check.ts'
import type { OptionRow } from './option-row.ts'
import { checkPrefixes, checkRecursors } from './recursors.ts'

/** The options of queries for names that svcd does not serve; rows of the options table. */
export const recursionOptions = {
  recursors: {
    kind: 'strings',
    default: [],
    flag: 'recursor',
    file: 'recursors',
    group: 'DNS',
    description:
      'A DNS server that answers queries for other names: address, address:port, or tls://address#name for DNS over TLS with a certificate for that name. Repeatable.',
    placeholder: 'server',
    example: 'tls://9.9.9.9#dns.quad9.net',
    defaultText: 'none: queries for other names are refused',
    check: checkRecursors,
  },
  recursionAllow: {
    kind: 'strings',
    default: ['127.0.0.0/8', '::1/128'],
    flag: 'recursion-allow',
    file: 'recursion_allow',
    group: 'DNS',
    description:
      'A network whose clients get answers for other names, if -recursor is set. All others get REFUSED. Repeatable.',
    placeholder: 'network',
    example: '10.0.0.0/8',
    check: checkPrefixes,
  },
  'dns.recursorStrategy': {
    kind: 'choice',
    default: 'sequential',
    choices: ['sequential', 'random'],
    flag: 'recursor-strategy',
    file: 'dns_config.recursor_strategy',
    group: 'DNS',
    description:
      'Which of the -recursor servers is asked first: sequential (the first that works, in the given order) or random.',
    placeholder: 'strategy',
    example: 'random',
  },
  'dns.recursorTimeoutSeconds': {
    kind: 'seconds',
    default: 2,
    flag: 'recursor-timeout',
    file: 'dns_config.recursor_timeout',
    group: 'DNS',
    description: 'How long to wait for a -recursor server before the next one is asked.',
    placeholder: 'duration',
    example: '1s',
    check: checkPositiveSeconds,
  },
  'dns.recursorCacheMb': {
    kind: 'integer',
    default: 16,
    min: 1,
    max: 1024,
    flag: 'recursor-cache-mb',
    file: 'dns_config.recursor_cache_mb',
    group: 'DNS',
    description:
      'The most memory that answers for other names take, in MiB. It is rounded down to a power of two; an index takes 3 % more.',
    placeholder: 'mib',
    example: '64',
  },
  'dns.recursorCaFile': {
    kind: 'string',
    default: undefined,
    flag: 'recursor-ca-file',
    file: 'dns_config.recursor_ca_file',
    group: 'DNS',
    description:
      'A PEM file with the authorities that sign the certificates of -recursor servers with TLS.',
    placeholder: 'path',
    example: '/etc/svcd/dns-ca.pem',
    defaultText: 'the public authorities that Node.js trusts',
    check: checkNotEmpty,
  },
} as const satisfies Record<string, OptionRow>
