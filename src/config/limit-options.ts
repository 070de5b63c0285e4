import { checkPositiveSeconds } from './check.ts'
import type { OptionRow } from './option-row.ts'

const connections = {
  kind: 'integer',
  max: 1_000_000,
  group: 'Limits',
  placeholder: 'n',
} as const
const timeout = {
  kind: 'seconds',
  group: 'Limits',
  placeholder: 'duration',
  check: checkPositiveSeconds,
} as const

/** Limits on the number of connections and on their idle time; rows of the options table. */
export const limitOptions = {
  'limits.httpMaxConns': {
    ...connections,
    default: 16_384,
    min: 1,
    flag: 'http-max-conns',
    file: 'limits.http_max_conns',
    description:
      'How many HTTP connections may be open at a time. A connection beyond that replaces the one that has been idle longest.',
  },
  'limits.httpMaxConnsPerClient': {
    ...connections,
    default: undefined,
    min: 0,
    flag: 'http-max-conns-per-client',
    file: 'limits.http_max_conns_per_client',
    description:
      'How many HTTP connections one client address may have open. The agent answers more with status 429. 0 means no limit. A number that you set also applies to clients on this machine.',
    example: '500',
    defaultText: '200, but no limit for clients on this machine',
  },
  'limits.httpMaxWaitingPerClient': {
    ...connections,
    default: 0,
    min: 0,
    flag: 'http-max-waiting-per-client',
    file: 'limits.http_max_waiting_per_client',
    description:
      'How many blocking queries and streams one token, or one client address without a token, may have at a time. The agent answers more with status 429. 0 means no limit other than that on connections.',
    example: '100',
  },
  'limits.httpMaxLongAnswersPerClient': {
    ...connections,
    default: 0,
    min: 0,
    flag: 'http-max-long-answers-per-client',
    file: 'limits.http_max_long_answers_per_client',
    description:
      'How many long answers (lists of more than 250 entries) the agent makes at a time for one token, or for one client address without a token. The agent answers more with status 429. A list that others have asked for at the same moment does not count. 0 means no limit.',
    example: '20',
  },
  'limits.writeRate': {
    kind: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    group: 'Limits',
    placeholder: 'n',
    flag: 'write-rate',
    file: 'limits.write_rate',
    description:
      'How many changes per second one client address, and one token, may request from this server over HTTP. The agent answers more with status 429. Heartbeats of TTL checks and renewals of sessions do not count. 0 means no limit.',
    example: '100',
  },
  'limits.writeBurst': {
    kind: 'integer',
    default: undefined,
    min: 1,
    max: 1_000_000,
    group: 'Limits',
    placeholder: 'n',
    flag: 'write-burst',
    file: 'limits.write_burst',
    description:
      'How many changes a client may request in a burst before limits.write_rate applies.',
    example: '1000',
    defaultText: 'ten times the rate',
  },
  'limits.httpHeaderTimeoutSeconds': {
    ...timeout,
    default: 10,
    flag: 'http-header-timeout',
    file: 'limits.http_header_timeout',
    description:
      'How long an HTTP client may take to send the head of a request, counted from its connection or from the first byte of the request.',
  },
  'limits.httpsHandshakeTimeoutSeconds': {
    ...timeout,
    default: 5,
    flag: 'https-handshake-timeout',
    file: 'limits.https_handshake_timeout',
    description: 'How long an HTTPS client may take for the TLS handshake.',
  },
  'limits.rpcMaxConnsPerClient': {
    ...connections,
    default: 100,
    min: 0,
    flag: 'rpc-max-conns-per-client',
    file: 'limits.rpc_max_conns_per_client',
    description:
      'How many connections one address may have open to the server port. 0 means no limit.',
  },
  'limits.rpcHandshakeTimeoutSeconds': {
    ...timeout,
    default: 5,
    flag: 'rpc-handshake-timeout',
    file: 'limits.rpc_handshake_timeout',
    description:
      'How long a peer that connects to the server port may take for the TLS and svcd handshakes together.',
  },
  'dns.tcpMaxClients': {
    ...connections,
    default: 4096,
    min: 1,
    flag: 'dns-tcp-max-clients',
    file: 'dns_config.tcp_max_clients',
    description:
      'How many connections for DNS over TCP, TLS and HTTPS may be open at a time. A connection beyond that replaces the one that has been idle longest.',
  },
  'dns.tcpMaxClientsPerAddress': {
    ...connections,
    default: undefined,
    min: 0,
    flag: 'dns-tcp-max-per-address',
    file: 'dns_config.tcp_max_clients_per_address',
    description:
      'How many connections for DNS over TCP, TLS and HTTPS one client address may have open. With more, the agent closes the one that has been idle longest. 0 means no limit. A number that you set also applies to clients on this machine.',
    example: '500',
    defaultText: '128, but no limit for clients on this machine',
  },
  'dns.tcpIdleTimeoutSeconds': {
    ...timeout,
    default: 10,
    flag: 'dns-tcp-idle-timeout',
    file: 'dns_config.tcp_idle_timeout',
    description:
      'How long a connection for DNS over TCP, TLS or HTTPS may stay open without a query.',
  },
  'dns.tcpIoTimeoutSeconds': {
    ...timeout,
    default: 5,
    flag: 'dns-tcp-io-timeout',
    file: 'dns_config.tcp_io_timeout',
    description:
      'How long a client may take to finish a query over TCP or TLS once it has sent a part of it, and to finish a TLS handshake for DNS.',
  },
} as const satisfies Record<string, OptionRow>
