import { checkHostIp, checkHostPatterns, checkIp, checkIps, checkNotEmpty } from './check.ts'
import { checkEncryptKeys } from './encrypt-key.ts'
import type { OptionRow } from './option-row.ts'

const port = {
  kind: 'integer',
  min: 0,
  max: 65_535,
  group: 'Network',
  placeholder: 'port',
} as const
const portOrOff = { ...port, min: -1 } as const

/** Addresses, ports and other servers; rows of the options table. */
export const networkOptions = {
  bindAddress: {
    kind: 'string',
    default: '0.0.0.0',
    devDefault: '127.0.0.1',
    flag: 'bind',
    file: 'bind_addr',
    group: 'Network',
    description: 'The address on which this node listens for other nodes.',
    placeholder: 'ip',
    check: checkIp,
  },
  advertiseAddress: {
    kind: 'string',
    default: undefined,
    flag: 'advertise',
    file: 'advertise_addr',
    group: 'Network',
    description: 'The address of this node that others are told.',
    placeholder: 'ip',
    defaultText: "the bind address, or with 0.0.0.0 this machine's own",
    check: checkHostIp,
  },
  clientAddresses: {
    kind: 'strings',
    default: ['127.0.0.1'],
    flag: 'client',
    file: 'client_addr',
    group: 'Network',
    description:
      'The addresses for HTTP and DNS, separated by spaces; 0.0.0.0 is all of IPv4, :: all of both families.',
    placeholder: 'ips',
    check: checkIps,
  },
  allowedHosts: {
    kind: 'strings',
    default: [],
    flag: 'allowed-host',
    file: 'http_config.allowed_hosts',
    group: 'Network',
    description:
      "A name under which HTTP answers, beside IP addresses, localhost and this node's own names; .example.com is all names below it, * any. Repeatable.",
    placeholder: 'name',
    check: checkHostPatterns,
  },
  retryJoin: {
    kind: 'strings',
    default: [],
    flag: 'retry-join',
    file: 'retry_join',
    group: 'Network',
    description:
      'Addresses of other servers, host or host:port, tried until one answers. Repeatable; naming this server too does no harm.',
    placeholder: 'address',
  },
  memberTimeoutSeconds: {
    kind: 'seconds',
    default: 3,
    flag: 'member-timeout',
    file: 'member_timeout',
    group: 'Network',
    description: 'A server that is silent for so long is dead: its services leave DNS.',
    placeholder: 'duration',
  },
  stateCheckSeconds: {
    kind: 'seconds',
    default: 600,
    flag: 'state-check-interval',
    file: 'state_check_interval',
    group: 'Network',
    description:
      'How often a server compares all of its state with the sums it keeps. One that is damaged is rebuilt.',
    placeholder: 'duration',
  },
  encrypt: {
    kind: 'strings',
    default: [],
    flag: 'encrypt',
    file: 'encrypt',
    group: 'Network',
    description:
      "The cluster's secret, the same on all servers; each proves it on every connection. 32 bytes in base64, as `svcd keygen` prints them. Repeatable, to replace a key: the first is proven first, all are accepted.",
    placeholder: 'key',
    isSecret: true,
    check: checkEncryptKeys,
  },
  encryptVerify: {
    kind: 'boolean',
    default: true,
    flag: 'encrypt-verify',
    file: 'encrypt_verify_incoming',
    group: 'Network',
    description:
      'Talk to no server without the secret. Off while a running cluster is given one, server by server.',
  },
  'peerTls.certFile': {
    kind: 'string',
    default: undefined,
    flag: 'peer-cert-file',
    file: 'peer_tls.cert_file',
    group: 'Network',
    description: 'The certificate of this server for others, PEM. It names the node, or its id.',
    placeholder: 'path',
    check: checkNotEmpty,
  },
  'peerTls.keyFile': {
    kind: 'string',
    default: undefined,
    flag: 'peer-key-file',
    file: 'peer_tls.key_file',
    group: 'Network',
    description: 'The key of that certificate, PEM.',
    placeholder: 'path',
    check: checkNotEmpty,
  },
  'peerTls.caFile': {
    kind: 'string',
    default: undefined,
    flag: 'peer-ca-file',
    file: 'peer_tls.ca_file',
    group: 'Network',
    description: 'The authority that signed the certificates of all servers, PEM.',
    placeholder: 'path',
    check: checkNotEmpty,
  },
  'ports.dns': {
    ...portOrOff,
    default: 8600,
    flag: 'dns-port',
    file: 'ports.dns',
    description: 'The DNS port, UDP and TCP. 0 picks a free one, -1 turns DNS off.',
  },
  'ports.http': {
    ...portOrOff,
    default: 8500,
    flag: 'http-port',
    file: 'ports.http',
    description: 'The HTTP port. 0 picks a free one, -1 turns HTTP off.',
  },
  'ports.server': {
    ...port,
    default: 8300,
    flag: 'server-port',
    file: 'ports.server',
    description:
      'The port on which servers talk to each other. With -dev a free one is taken when 8300 is in use.',
  },
} as const satisfies Record<string, OptionRow>
