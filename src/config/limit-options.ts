import { checkPositiveSeconds } from './check.ts'
import type { OptionRow } from './option-row.ts'

const connections = {
  kind: 'integer',
  max: 1_000_000,
  group: 'Network',
  placeholder: 'n',
} as const
const timeout = {
  kind: 'seconds',
  group: 'Network',
  placeholder: 'duration',
  check: checkPositiveSeconds,
} as const

/** How many connections there may be, and how long one may say nothing; rows of the options table. */
export const limitOptions = {
  'limits.httpMaxConns': {
    ...connections,
    default: 16_384,
    min: 1,
    flag: 'http-max-conns',
    file: 'limits.http_max_conns',
    description:
      'HTTP connections at a time; beyond it a new one takes the place of the one that has been idle longest.',
  },
  'limits.httpMaxConnsPerClient': {
    ...connections,
    default: undefined,
    min: 0,
    flag: 'http-max-conns-per-client',
    file: 'limits.http_max_conns_per_client',
    description:
      'HTTP connections of one address; more are answered with 429. 0: no limit. A number that is given holds for this machine too.',
    defaultText: '200, and no limit for this machine',
  },
  'limits.httpHeaderTimeoutSeconds': {
    ...timeout,
    default: 10,
    flag: 'http-header-timeout',
    file: 'limits.http_header_timeout',
    description:
      'How long an HTTP client may take, from the first octet or from connecting, until the head of its request has come.',
  },
  'limits.rpcMaxConnsPerClient': {
    ...connections,
    default: 100,
    min: 0,
    flag: 'rpc-max-conns-per-client',
    file: 'limits.rpc_max_conns_per_client',
    description: 'Connections of one address to the port of the servers. 0: no limit.',
  },
  'limits.rpcHandshakeTimeoutSeconds': {
    ...timeout,
    default: 5,
    flag: 'rpc-handshake-timeout',
    file: 'limits.rpc_handshake_timeout',
    description:
      'How long whoever connects to the port of the servers may take, TLS included, until it has greeted.',
  },
  'dns.tcpMaxClients': {
    ...connections,
    default: 4096,
    min: 1,
    flag: 'dns-tcp-max-clients',
    file: 'dns_config.tcp_max_clients',
    group: 'DNS',
    description:
      'Connections for DNS over TCP at a time; beyond it a new one takes the place of the one that has been idle longest.',
  },
  'dns.tcpMaxClientsPerAddress': {
    ...connections,
    default: undefined,
    min: 0,
    flag: 'dns-tcp-max-per-address',
    file: 'dns_config.tcp_max_clients_per_address',
    group: 'DNS',
    description:
      'Connections of one address for DNS over TCP; beyond it the one that has been idle longest is closed. 0: no limit. A number that is given holds for this machine too.',
    defaultText: '128, and no limit for this machine',
  },
  'dns.tcpIdleTimeoutSeconds': {
    ...timeout,
    default: 10,
    flag: 'dns-tcp-idle-timeout',
    file: 'dns_config.tcp_idle_timeout',
    group: 'DNS',
    description: 'How long a connection for DNS over TCP may stay without a query.',
  },
  'dns.tcpIoTimeoutSeconds': {
    ...timeout,
    default: 5,
    flag: 'dns-tcp-io-timeout',
    file: 'dns_config.tcp_io_timeout',
    group: 'DNS',
    description: 'How long a client may take to send a query over TCP that it has begun.',
  },
} as const satisfies Record<string, OptionRow>
