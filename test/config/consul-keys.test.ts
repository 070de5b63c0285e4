import t from 'tap'
import { consulFlags, consulKeys } from '../../src/config/consul-keys.ts'
import { optionNames, optionRow } from '../../src/config/options.ts'
import { readConfig, type ReadConfig } from '../../src/config/parse.ts'

const flags = { server: ['true'], dataDir: ['/d'] }
const sources = { flags, env: {}, files: [], hostName: 'n1' }

function readFile(content: unknown): ReadConfig {
  return readConfig({ ...sources, files: [{ path: 'c.json', content }] })
}

function said({ problems, notices }: ReadConfig): {
  readonly problems: readonly string[]
  readonly notices: readonly string[]
} {
  return { problems: problems.map(({ message }) => message), notices }
}

/** `{'a.b': 1}` as `{a: {b: 1}}`. */
function nested(key: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = key.split('.')
  return { [first]: rest.length === 0 ? value : nested(rest.join('.'), value) }
}

t.test('what asks for nothing is taken without a message', async (t) => {
  const quiet: readonly object[] = [
    { bootstrap: false },
    { connect: { enabled: false } },
    { connect: { ca_provider: 'consul' } },
    { acl: { enabled: false, default_policy: 'deny', tokens: { agent: 'secret' } } },
    { acl: {} },
    { addresses: {} },
    { ports: { grpc: -1, https: -1, serf_lan: 8301, serf_wan: 8302 } },
    { ports: { grpc: null } },
    { recursors: [], watches: [], retry_join_wan: [], telemetry: {} },
    { verify_incoming: false, verify_outgoing: false, verify_server_hostname: false },
    { auto_encrypt: { tls: false, allow_tls: false }, audit: { enabled: false } },
    { disable_update_check: true, disable_remote_exec: true, disable_host_node_id: false },
    { leave_on_terminate: false, skip_leave_on_interrupt: true, rejoin_after_leave: false },
    { raft_protocol: 3, use_streaming_backend: true, rpc: { enable_streaming: true } },
    { datacenter: 'eu', primary_datacenter: 'eu' },
    { primary_datacenter: 'dc1' },
    { limits: { request_limits: { mode: 'disabled', read_rate: -1, write_rate: -1 } } },
    { ui_config: { enabled: false }, ui: false, enable_syslog: false, log_file: '' },
    { http_config: { response_headers: {}, block_endpoints: [] } },
    { telemetry: { prometheus_retention_time: '24h', disable_hostname: true } },
    { PORTS: [{ DNS: 53 }], Node_Name: 'n2' },
  ]
  for (const content of quiet) {
    t.strictSame(said(readFile(content)), { problems: [], notices: [] }, JSON.stringify(content))
  }
  const { config } = readFile(quiet.at(-1))
  t.match(config, { nodeName: 'n2', ports: { dns: 53 } })
})

t.test('"" is an option that is not set', async (t) => {
  const empty = {
    advertise_addr: '',
    node_name: '',
    client_addr: '',
    domain: '',
    node_id: '',
    addresses: { http: '' },
    ports: { dns: '' },
    bootstrap_expect: '',
    dns_config: '',
  }
  t.strictSame(said(readFile(empty)), { problems: [], notices: [] })
  t.strictSame(readFile(empty).config, readFile({}).config)
})

t.test('start_join and retry_join are joined both, in files and as flags', async (t) => {
  const lists = { start_join: ['10.0.0.1'], retry_join: ['10.0.0.2', '10.0.0.1'] }
  t.strictSame(readFile(lists).config?.retryJoin, ['10.0.0.1', '10.0.0.2'])
  const { config } = readConfig({
    ...sources,
    flags: { dataDir: ['/data'], server: ['true'], retryJoin: ['10.0.0.3'] },
    consulFlags: { join: ['10.0.0.4'] },
  })
  t.strictSame(config?.retryJoin, ['10.0.0.3', '10.0.0.4'])
})

t.test('a key that every object has is no option', async (t) => {
  for (const key of ['constructor', 'toString', '__proto__']) {
    const { problems } = said(readFile(JSON.parse(`{"${key}": 1}`) as object))
    t.match(problems, [/unknown option\./], key)
  }
})

t.test('settings that tune the inside of Consul are accepted, with one line each', async (t) => {
  const content = {
    performance: { raft_multiplier: 1 },
    autopilot: { cleanup_dead_servers: true },
    retry_interval: '10s',
    retry_max: 3,
    gossip_lan: { probe_interval: '1s' },
    ui_dir: '/srv/ui',
    enable_syslog: true,
    log_file: '/var/log/consul/',
    leave_on_terminate: true,
    ports: { serf_lan: 8401 },
    dns_config: { udp_answer_limit: 3, max_stale: '10s' },
    disable_update_check: false,
  }
  const { problems, notices } = said(readFile(content))
  t.strictSame(problems, [])
  t.equal(notices.length, 13)
  for (const notice of notices) {
    t.match(notice, /^option [\w.]+ in c\.json: not used: \S/)
    t.notMatch(notice, /\n/)
  }
  t.match(notices, [/raft|performance/])
  t.ok(notices.includes('option ui_dir in c.json: not used: svcd serves its own web UI'))
})

t.test('ui and ui_config.enabled turn the web UI on and off', async (t) => {
  const uiOf = (content: object): unknown => readFile(content).config
  t.match(uiOf({}), { ui: true })
  t.match(uiOf({ ui: false }), { ui: false })
  t.match(uiOf({ ui_config: { enabled: false } }), { ui: false })
  t.match(uiOf({ ui_config: { enabled: true, content_path: '/ui/' } }), { ui: true })
})

t.test('features that are missing are refused by name with what to do, all at once', async (t) => {
  const content = {
    retry_join_wan: ['x'],
    nosuchkey: 1,
    connect: { enabled: true },
    ports: { grpc: 8502 },
    recursors: ['dns.example.com'],
    watches: [{ type: 'key' }],
    verify_incoming: true,
    telemetry: { statsd_address: '127.0.0.1:8125' },
    retry_join: ['provider=aws tag_key=x'],
    bind_addr: '{{ GetInterfaceIP "eth0" }}',
    log_level: 'loud',
    node_meta: { 'a b': 'c' },
  }
  const read = readFile(content)
  t.equal(read.config, undefined)
  t.strictSame(said(read).problems, [
    'Option retry_join_wan in c.json: not supported: an svcd cluster has one datacenter. Remove it',
    'Option nosuchkey in c.json: unknown option. docs/config.md lists all options',
    'Option connect in c.json: not supported: svcd has no service mesh. Remove it, or write {"enabled": false}',
    'Option ports.grpc in c.json: not supported: svcd has no service mesh and no gRPC port. Remove it, or write -1',
    'Option recursors in c.json: "dns.example.com" is not a DNS server; write an IP address such as 10.0.0.2, with a port if it is not 53, or tls://9.9.9.9#dns.quad9.net',
    'Option watches in c.json: not supported: the agent does not run watch handlers. Run `svcd watch` or read /v1/watch in a separate process, then remove it',
    'Option verify_incoming in c.json: not supported: with peer_tls both sides of every connection between servers are always verified. For TLS between servers set peer_tls.cert_file, peer_tls.key_file and peer_tls.ca_file (each certificate must contain the name or ID of its node), then remove it. For certificates of HTTPS clients set tls.https.verify_incoming',
    'Option telemetry.statsd_address in c.json: not supported: svcd does not push metrics. Let Prometheus scrape /metrics, then remove it',
    'Option retry_join in c.json: "provider=aws tag_key=x" is a cloud auto-join expression, which svcd does not support; give the addresses of the servers, or one DNS name that resolves to all of them',
    'Option bind_addr in c.json: "{{ GetInterfaceIP \\"eth0\\" }}" is a template, which svcd does not support; write the IP address'.replaceAll(
      '\\"',
      '"',
    ),
    'Option log_level in c.json: "loud" is not one of debug, info, warn, error',
    "Option node_meta in c.json: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters",
  ])
})

t.test('no default of an option that was refused is complained of as well', async (t) => {
  const file = { path: 'c.json', content: { data_dir: 1, server: 'yes', alt_domain: 'a b' } }
  const read = readConfig({ env: {}, flags: {}, files: [file], hostName: 'n1' })
  t.strictSame(
    said(read).problems.map((text) => text.split(':')[0]),
    ['Option data_dir in c.json', 'Option server in c.json', 'Option alt_domain in c.json'],
  )
})

t.test('a flag of Consul is judged as its key in a file', async (t) => {
  const read = readConfig({
    ...sources,
    consulFlags: {
      'ui-dir': ['/srv/ui'],
      syslog: ['false'],
      'retry-interval': ['5s'],
      'serf-lan-port': ['8301'],
      join: ['10.0.0.1', '10.0.0.2:8301'],
      bootstrap: ['true'],
      'config-format': ['json'],
    },
  })
  t.match(read.config, { retryJoin: ['10.0.0.1', '10.0.0.2:8300'], bootstrapExpect: 1 })
  t.strictSame(
    read.notices.map((text) => text.split(':')[0]),
    ['option -ui-dir', 'option -retry-interval', 'option -join'],
  )
  const refused = { 'non-voting-server': ['true'], hcl: ['a = 1'], 'grpc-port': ['8502'] }
  t.strictSame(
    said(readConfig({ ...sources, consulFlags: refused })).problems.map(
      (text) => text.split(':')[0],
    ),
    ['Option -non-voting-server', 'Option -hcl', 'Option -grpc-port'],
  )
  for (const [flag, { key, row }] of Object.entries(consulFlags)) {
    t.ok(row !== undefined || key in consulKeys || key === 'start_join', `-${flag} is judged`)
    t.notOk(
      optionNames.some((name) => optionRow(name).flag === flag),
      `-${flag} is no option`,
    )
  }
})

t.test(
  'the gossip port of Consul is dialled as that of the servers, but on this machine',
  async (t) => {
    const cases: readonly (readonly [string, string, object?])[] = [
      ['10.0.0.2:8301', '10.0.0.2:8300'],
      ['s2.example:8301', 's2.example:8300'],
      ['[fd00::2]:8301', '[fd00::2]:8300'],
      ['10.0.0.2:8301', '10.0.0.2:7300', { ports: { server: 7300 } }],
      ['10.0.0.2:8401', '10.0.0.2:8300', { ports: { serf_lan: 8401 } }],
      ['10.0.0.2:8301', '10.0.0.2:8301', { ports: { server: 8301 } }],
      ['10.0.0.2', '10.0.0.2'],
      ['fd00::2', 'fd00::2'],
      ['10.0.0.2:8302', '10.0.0.2:8302'],
      ['127.0.0.1:8301', '127.0.0.1:8301'],
      ['localhost:8301', 'localhost:8301'],
      ['10.0.0.9:8301', '10.0.0.9:8301', { advertise_addr: '10.0.0.9' }],
    ]
    for (const [given, dialled, more] of cases) {
      const { config, notices } = readFile({ ...more, retry_join: [given] })
      t.strictSame(config?.retryJoin, [dialled], given)
      const lines = notices.filter((notice) => notice.includes('gossip protocol, which'))
      t.equal(lines.length, given === dialled ? 0 : 1, given)
    }
  },
)

t.test('addresses of HTTP and DNS stand for client_addr where they are given', async (t) => {
  const { config } = readFile({ client_addr: '10.0.0.1', addresses: { dns: '127.0.0.1 10.0.0.1' } })
  t.match(config, { httpAddresses: ['10.0.0.1'], dnsAddresses: ['127.0.0.1', '10.0.0.1'] })
})

t.test('bootstrap is a cluster of one, and cannot wait for others as well', async (t) => {
  t.equal(readFile({ bootstrap: true, retry_join: ['a'] }).config?.bootstrapExpect, 1)
  t.match(said(readFile({ bootstrap: true, bootstrap_expect: 3, retry_join: ['a'] })).problems, [
    /^Option bootstrap in c\.json: it forms a cluster of one server, but bootstrap_expect waits for 3/,
  ])
})

t.test(
  'node meta comes from files, flags and the environment, and a datacenter in capitals',
  async (t) => {
    t.strictSame(readFile({ node_meta: { rack: 'a1' } }).config?.nodeMeta, { rack: 'a1' })
    const given = { ...sources, flags: { ...flags, nodeMeta: ['rack=a1', 'os:linux=6 x'] } }
    t.strictSame(readConfig(given).config?.nodeMeta, { rack: 'a1', os: 'linux=6 x' })
    const env = { SVCD_NODE_META: 'rack=a1 os=linux', SVCD_DATACENTER: 'EU-West_1' }
    t.match(readConfig({ ...sources, env }).config, {
      nodeMeta: { rack: 'a1', os: 'linux' },
      datacenter: 'eu-west_1',
    })
    const reserved = { ...sources, flags: { ...flags, nodeMeta: ['consul-x=1'] } }
    t.match(said(readConfig(reserved)).problems, [
      /^Option -node-meta: .*reserved for internal use/,
    ])
  },
)

t.test('every key of Consul has one place, and is not an option as well', async (t) => {
  const optionKeys = optionNames.map((name) => optionRow(name).file)
  for (const [key, row] of Object.entries(consulKeys)) {
    t.notOk(optionKeys.includes(key), key)
    t.equal(key, key.toLowerCase())
    // A value that is taken or refused says why; none ends the process.
    const { problems, notices } = readFile(nested(key, 'x-1'))
    t.ok(problems.length + notices.length <= 1, key)
    if (row.value !== 'any') t.equal(problems.length + notices.length, 1, `${key} is answered`)
    const above = key.split('.').slice(0, -1).join('.')
    t.notOk(above in consulKeys, `${key} is reached`)
  }
})

/** Consul's configuration keys, of its releases 1.8 to 1.21. */
const keysOfConsul = `
acl.disabled_ttl acl.down_policy acl.enable_key_list_policy acl.enable_token_persistence acl.enable_token_replication
acl.enabled acl.default_policy acl.policy_ttl acl.role_ttl acl.token_ttl acl.tokens.agent acl.tokens.agent_master
acl.tokens.agent_recovery acl.tokens.config_file_service_registration acl.tokens.default acl.tokens.dns
acl.tokens.initial_management acl.tokens.managed_service_provider acl.tokens.master acl.tokens.replication
acl_agent_master_token acl_agent_token acl_datacenter acl_default_policy acl_down_policy acl_enable_key_list_policy
acl_master_token acl_replication_token acl_token acl_ttl addresses.dns addresses.grpc addresses.grpc_tls addresses.http
addresses.https advertise_addr advertise_addr_ipv4 advertise_addr_ipv6 advertise_addr_wan advertise_addr_wan_ipv4
advertise_addr_wan_ipv6 advertise_reconnect_timeout alt_domain audit auto_config auto_encrypt.allow_tls auto_encrypt.dns_san
auto_encrypt.ip_san auto_encrypt.tls auto_reload_config autopilot.cleanup_dead_servers autopilot.last_contact_threshold
autopilot.max_trailing_logs autopilot.min_quorum autopilot.server_stabilization_time autopilot.upgrade_version_tag bind_addr
bootstrap bootstrap_expect ca_file ca_path cache.entry_fetch_max_burst cache.entry_fetch_rate cert_file check
check_output_max_size check_update_interval checks client_addr cloud config_entries.bootstrap connect.enabled
connect.ca_provider data_dir datacenter default_query_time disable_anonymous_signature disable_coordinates
disable_host_node_id disable_http_unprintable_char_filter disable_keyring_file disable_remote_exec disable_update_check
discard_check_output discovery_max_stale dns_config.a_record_limit dns_config.allow_stale dns_config.cache_max_age
dns_config.disable_compression dns_config.enable_additional_node_meta_txt dns_config.enable_truncate dns_config.max_stale
dns_config.node_ttl dns_config.only_passing dns_config.prefer_namespace dns_config.recursor_strategy
dns_config.recursor_timeout dns_config.service_ttl dns_config.soa.expire dns_config.soa.min_ttl dns_config.soa.refresh
dns_config.soa.retry dns_config.udp_answer_limit dns_config.use_cache domain enable_acl_replication
enable_agent_tls_for_checks enable_central_service_config enable_debug enable_local_script_checks enable_script_checks
enable_syslog encrypt encrypt_verify_incoming encrypt_verify_outgoing gossip_lan.gossip_nodes gossip_lan.probe_interval
gossip_wan.gossip_nodes http_config.allow_write_http_from http_config.block_endpoints http_config.max_header_bytes
http_config.response_headers http_config.use_cache key_file leave_on_terminate license_path limits.http_max_conns_per_client
limits.https_handshake_timeout limits.kv_max_value_size limits.request_limits.mode limits.request_limits.read_rate
limits.request_limits.write_rate limits.rpc_client_timeout limits.rpc_handshake_timeout limits.rpc_max_burst
limits.rpc_max_conns_per_client limits.rpc_rate limits.txn_max_req_len locality.region log_file log_json log_level
log_rotate_bytes log_rotate_duration log_rotate_max_files max_query_time node_id node_meta node_name non_voting_server
partition peering.enabled performance.leave_drain_time performance.raft_multiplier performance.rpc_hold_timeout pid_file
ports.dns ports.expose_max_port ports.expose_min_port ports.grpc ports.grpc_tls ports.http ports.https ports.proxy_max_port
ports.proxy_min_port ports.serf_lan ports.serf_wan ports.server ports.sidecar_max_port ports.sidecar_min_port
primary_datacenter primary_gateways primary_gateways_interval protocol raft_boltdb raft_logstore.backend raft_protocol
raft_snapshot_interval raft_snapshot_threshold raft_trailing_logs read_replica reconnect_timeout reconnect_timeout_wan
recursors rejoin_after_leave reporting retry_interval retry_interval_wan retry_join retry_join_wan retry_max retry_max_wan
rpc.enable_streaming segment segments serf_lan serf_lan_allowed_cidrs serf_wan serf_wan_allowed_cidrs server server_name
service services session_ttl_min skip_leave_on_interrupt snapshot_agent start_join start_join_wan syslog_facility
tagged_addresses telemetry.disable_hostname telemetry.dogstatsd_addr telemetry.prometheus_retention_time
telemetry.statsd_address telemetry.statsite_address tls.defaults.ca_file tls.grpc.ca_file tls.https.ca_file
tls.internal_rpc.verify_server_hostname tls_cipher_suites tls_min_version tls_prefer_server_cipher_suites
translate_wan_addrs ui ui_config.enabled ui_content_path ui_dir unix_sockets.group use_streaming_backend verify_incoming
verify_incoming_https verify_incoming_rpc verify_outgoing verify_server_hostname watches xds.update_max_per_second
`

t.test('no key of Consul is unknown', async (t) => {
  const keys = keysOfConsul.split(/\s+/).filter((key) => key !== '')
  t.ok(keys.length > 200)
  for (const key of keys) {
    const { problems } = said(readFile(nested(key, 'x-1')))
    t.notMatch(problems.join('\n'), /unknown option\. /, key)
    // A list of one object is what tools make of HCL.
    const [first = '', ...rest] = key.split('.')
    if (rest.length === 0) continue
    const listed = readFile({ [first]: [nested(rest.join('.'), 'x-1')] })
    t.notMatch(said(listed).problems.join('\n'), /unknown option\. |must be an object/, key)
  }
})
