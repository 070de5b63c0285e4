import {
  checkDatacenter,
  checkDnsName,
  checkHostIp,
  checkIp,
  checkIps,
  checkNotEmpty,
  checkUuid,
  type Check,
} from './check.ts'
import { checkOptions } from './check-options.ts'

export const optionGroups = ['Agent', 'Network', 'DNS', 'Checks', 'Logging'] as const

interface Row<Kind extends string, T> {
  readonly kind: Kind
  /** Undefined: nothing is set unless somebody sets it. */
  readonly default: T | undefined
  /** Stands in for `default` with -dev. */
  readonly devDefault?: T
  /** Without dashes; the environment variable is made from it. */
  readonly flag: string
  /** The key in a config file, dotted where it is nested; undefined: not settable there. */
  readonly file?: string
  readonly group: (typeof optionGroups)[number]
  readonly description: string
  /** What stands for the value in --help. */
  readonly placeholder?: string
  /** Shown instead of the default, where that depends on the machine. */
  readonly defaultText?: string
  readonly hidden?: true
}

interface Texts<T> {
  readonly check?: Check<T>
}

export type OptionRow =
  | Row<'boolean', boolean>
  | (Row<'string', string> & Texts<string>)
  /** Values separated by spaces, or the flag repeated. */
  | (Row<'strings', readonly string[]> & Texts<readonly string[]>)
  | (Row<'choice', string> & { readonly choices: readonly string[] })
  | (Row<'integer', number> & { readonly min: number; readonly max: number })
  /** Written as a duration (`10s`); kept as whole seconds. */
  | Row<'seconds', number>
  /** `NAME=DURATION`, repeated or separated by commas; in a file an object. */
  | Row<'seconds-by-name', Readonly<Record<string, number>>>

const port = {
  kind: 'integer',
  min: 0,
  max: 65_535,
  group: 'Network',
  placeholder: 'port',
} as const
const portOrOff = { ...port, min: -1 } as const
const seconds32 = { kind: 'integer', min: 0, max: 0x7fff_ffff, group: 'DNS' } as const

/**
 * Every option of an agent, by its place in {@link Config}. Flags, environment variables, config
 * file keys, `svcd agent --help`, docs/config.md and the type `Config` are all made from this table.
 */
export const options = {
  dev: {
    kind: 'boolean',
    default: false,
    flag: 'dev',
    group: 'Agent',
    description:
      'Run one server for trying things out: on 127.0.0.1, with its data in a temporary directory that is removed on stop.',
  },
  sample: {
    kind: 'boolean',
    default: false,
    flag: 'sample',
    group: 'Agent',
    description: 'Register a sample service.',
    hidden: true,
  },
  server: {
    kind: 'boolean',
    default: false,
    devDefault: true,
    flag: 'server',
    file: 'server',
    group: 'Agent',
    description: 'Run as a server: keep the log and the catalog.',
  },
  bootstrapExpect: {
    kind: 'integer',
    default: undefined,
    min: 0,
    max: 99,
    flag: 'bootstrap-expect',
    file: 'bootstrap_expect',
    group: 'Agent',
    description:
      'The number of servers to wait for before a new cluster starts, the same on all of them. 0: join one that runs.',
    placeholder: 'n',
    defaultText: '1, with -retry-join 0',
  },
  dataDir: {
    kind: 'string',
    default: undefined,
    flag: 'data-dir',
    file: 'data_dir',
    group: 'Agent',
    description: 'The directory of the log and the catalog. Required unless -dev.',
    placeholder: 'path',
    check: checkNotEmpty,
  },
  nodeName: {
    kind: 'string',
    default: undefined,
    flag: 'node',
    file: 'node_name',
    group: 'Agent',
    description: 'The name of this node, found as NAME.node.DATACENTER.DOMAIN.',
    placeholder: 'name',
    defaultText: 'the host name',
    check: checkDnsName,
  },
  nodeId: {
    kind: 'string',
    default: undefined,
    flag: 'node-id',
    file: 'node_id',
    group: 'Agent',
    description: 'The UUID of this node.',
    placeholder: 'uuid',
    defaultText: 'made at the first start and kept in the data directory',
    check: checkUuid,
  },
  datacenter: {
    kind: 'string',
    default: 'dc1',
    flag: 'datacenter',
    file: 'datacenter',
    group: 'Agent',
    description: 'The name of the datacenter.',
    placeholder: 'name',
    check: checkDatacenter,
  },
  configFiles: {
    kind: 'strings',
    default: [],
    flag: 'config-file',
    group: 'Agent',
    description: 'A JSON file of options. Repeatable; a later file wins.',
    placeholder: 'path',
  },
  ...checkOptions,
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
    description: 'The port on which servers talk to each other.',
  },
  domain: {
    kind: 'string',
    default: 'consul',
    flag: 'domain',
    file: 'domain',
    group: 'DNS',
    description: 'The DNS domain that is served.',
    placeholder: 'name',
    check: (value) => checkDnsName(value.replace(/\.$/, '')),
  },
  altDomain: {
    kind: 'string',
    default: undefined,
    flag: 'alt-domain',
    file: 'alt_domain',
    group: 'DNS',
    description: 'A second domain with the same names. Answers stay within the domain asked.',
    placeholder: 'name',
    check: (value) => checkDnsName(value.replace(/\.$/, '')),
  },
  zonesDir: {
    kind: 'string',
    default: undefined,
    flag: 'zones',
    file: 'zones_dir',
    group: 'DNS',
    description: 'A directory of zone files (*.zone) to serve as they are.',
    placeholder: 'path',
    defaultText: 'zones in the data directory, if there is one',
    check: checkNotEmpty,
  },
  'dns.nodeTtlSeconds': {
    kind: 'seconds',
    default: 0,
    flag: 'dns-node-ttl',
    file: 'dns_config.node_ttl',
    group: 'DNS',
    description: 'The TTL of answers about nodes, such as 30s.',
    placeholder: 'duration',
  },
  'dns.serviceTtlSeconds': {
    kind: 'seconds-by-name',
    default: {},
    flag: 'dns-service-ttl',
    file: 'dns_config.service_ttl',
    group: 'DNS',
    description:
      'The TTL of answers about a service: web=10s, web-*=5s for a prefix, *=5s for all others. Repeatable.',
    placeholder: 'name=duration',
    defaultText: '0s',
  },
  'dns.onlyPassing': {
    kind: 'boolean',
    default: false,
    flag: 'dns-only-passing',
    file: 'dns_config.only_passing',
    group: 'DNS',
    description: 'Leave out instances with a check in warning, not only in critical.',
  },
  'dns.nodeMetaTxt': {
    kind: 'boolean',
    default: true,
    flag: 'dns-node-meta-txt',
    file: 'dns_config.enable_additional_node_meta_txt',
    group: 'DNS',
    description: "Send a node's meta as TXT along with its addresses.",
  },
  'dns.emptyAnswer': {
    kind: 'choice',
    default: 'nxdomain',
    choices: ['nxdomain', 'nodata'],
    flag: 'dns-empty-answer',
    file: 'dns_config.empty_answer',
    group: 'DNS',
    description: 'What a known service without a healthy instance is answered with.',
  },
  'dns.udpSizeMax': {
    kind: 'integer',
    default: 1232,
    min: 512,
    max: 8192,
    flag: 'dns-udp-size-max',
    file: 'dns_config.udp_size_max',
    group: 'DNS',
    description:
      'The largest answer over UDP to a client on another machine, in bytes, whatever size it allows.',
    placeholder: 'bytes',
  },
  'dns.udp': {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'mmsg', 'dgram'],
    flag: 'dns-udp',
    file: 'dns_config.udp',
    group: 'DNS',
    description:
      'How packets are received and sent: mmsg, many a system call, on Linux only; dgram, one by one, anywhere.',
  },
  'dns.threads': {
    kind: 'integer',
    default: undefined,
    min: 1,
    max: 64,
    flag: 'dns-threads',
    file: 'dns_config.threads',
    group: 'DNS',
    description: 'How many threads answer DNS over UDP; dgram always has one.',
    placeholder: 'n',
    defaultText: 'one less than the cores, at least 1, at most 4',
  },
  'dns.soa.refresh': {
    ...seconds32,
    default: 3600,
    flag: 'dns-soa-refresh',
    file: 'dns_config.soa.refresh',
    description: 'REFRESH of the SOA record.',
    placeholder: 'seconds',
  },
  'dns.soa.retry': {
    ...seconds32,
    default: 600,
    flag: 'dns-soa-retry',
    file: 'dns_config.soa.retry',
    description: 'RETRY of the SOA record.',
    placeholder: 'seconds',
  },
  'dns.soa.expire': {
    ...seconds32,
    default: 86_400,
    flag: 'dns-soa-expire',
    file: 'dns_config.soa.expire',
    description: 'EXPIRE of the SOA record.',
    placeholder: 'seconds',
  },
  'dns.soa.minTtl': {
    ...seconds32,
    default: 0,
    flag: 'dns-soa-min-ttl',
    file: 'dns_config.soa.min_ttl',
    description: 'MINIMUM of the SOA record: how long resolvers keep a negative answer.',
    placeholder: 'seconds',
  },
  logLevel: {
    kind: 'choice',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    flag: 'log-level',
    file: 'log_level',
    group: 'Logging',
    description: 'The least severe level that is logged.',
  },
  logJson: {
    kind: 'boolean',
    default: false,
    flag: 'log-json',
    file: 'log_json',
    group: 'Logging',
    description: 'Log one JSON object a line.',
  },
} as const satisfies Record<string, OptionRow>

export type OptionName = keyof typeof options

interface Kinds {
  boolean: boolean
  string: string
  strings: readonly string[]
  integer: number
  seconds: number
  'seconds-by-name': Readonly<Record<string, number>>
}

type ValueOf<R extends OptionRow> = R extends { choices: readonly (infer C)[] }
  ? C
  : R['kind'] extends keyof Kinds
    ? Kinds[R['kind']]
    : never

/** The value of every option under its flat name; what has no default may be undefined. */
export type OptionValues = {
  readonly [N in OptionName]:
    | ValueOf<(typeof options)[N]>
    | ((typeof options)[N]['default'] extends undefined ? undefined : never)
}

type Head<N extends string> = N extends `${infer H}.${string}` ? H : N
type Tree<T> = {
  readonly [H in Head<keyof T & string>]: H extends keyof T
    ? T[H]
    : Tree<{ [N in keyof T & string as N extends `${H}.${infer Rest}` ? Rest : never]: T[N] }>
}

/** The checked, frozen configuration of one agent; `ports.dns` is `config.ports.dns`. */
export type Config = Omit<Tree<OptionValues>, 'nodeName' | 'bootstrapExpect'> & {
  readonly nodeName: string
  readonly bootstrapExpect: number
}

export const optionNames = Object.keys(options) as OptionName[]

/** The row of an option, as the general type. */
export function optionRow(name: OptionName): OptionRow {
  return options[name]
}

/** `data-dir` is `SVCD_DATA_DIR` in the environment. */
export function envName(row: OptionRow): string {
  return `SVCD_${row.flag.toUpperCase().replaceAll('-', '_')}`
}
