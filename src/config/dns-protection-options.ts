import type { OptionRow } from './option-row.ts'
import { checkPrefixes } from './recursors.ts'

/** Options against the abuse of DNS; rows of the options table. */
export const dnsProtectionOptions = {
  'dns.rateLimit': {
    kind: 'integer',
    default: 1600,
    min: 0,
    max: 1_000_000,
    flag: 'dns-rate-limit',
    file: 'dns_config.rate_limit',
    group: 'DNS',
    description:
      'How many answers per second the clients of one network (IPv4 /24, IPv6 /56) get over UDP. Clients with a valid DNS cookie have no limit. 0 means no limit.',
    placeholder: 'n',
    example: '200',
  },
  'dns.rateLimitSlip': {
    kind: 'integer',
    default: 1,
    min: 0,
    max: 100,
    flag: 'dns-rate-limit-slip',
    file: 'dns_config.rate_limit_slip',
    group: 'DNS',
    description:
      'Which of the queries over -dns-rate-limit get an empty answer with TC, after which a client retries over TCP: 1 each, 2 every second one, 0 none. The agent drops the others.',
    placeholder: 'n',
    example: '2',
  },
  'dns.rateLimitExempt': {
    kind: 'strings',
    default: [
      '127.0.0.0/8',
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10',
      '169.254.0.0/16',
      '::1/128',
      'fc00::/7',
      'fe80::/10',
    ],
    flag: 'dns-rate-limit-exempt',
    file: 'dns_config.rate_limit_exempt',
    group: 'DNS',
    description:
      'A network whose clients have no -dns-rate-limit. The networks that you set replace the default ones; an empty value means that all clients have the limit. Repeatable.',
    placeholder: 'network',
    example: '203.0.113.0/24',
    check: checkPrefixes,
  },
} as const satisfies Record<string, OptionRow>
