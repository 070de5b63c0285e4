import type { ConsulKey } from './consul-key.ts'

const isTaken = true
const checkReason =
  'the agent updates the catalog when the status of a check changes, not when only its output changes'
const raftReason = 'the Raft settings are fixed, and suit a LAN'
const leaveReason = 'a stopped server stays a member of the cluster; `svcd leave` removes it'
const logReason =
  'svcd logs to standard output; let the service manager store the log, or pipe it to logger(1)'
const uiPath = 'the web UI is always at /ui/'
const noProxyMetrics = 'the web UI shows no metrics of proxies'

/** Consul's keys about an agent itself: its logs, its life, its log of changes. */
export const consulAgentKeys: Readonly<Record<string, ConsulKey>> = {
  auto_reload_config: {
    value: false,
    reason: '`svcd reload` and SIGHUP read the files again',
    isTaken,
  },
  autopilot: {
    reason: 'set it with PUT /v1/operator/autopilot/configuration, for all servers',
    isTaken,
  },
  cache: { value: 'any', reason: 'the agent has no cache' },
  check_output_max_size: {
    value: 4096,
    reason: 'the agent cuts check output to 4096 bytes',
    isTaken,
  },
  check_update_interval: { reason: checkReason, isTaken },
  default_query_time: {
    value: ['5m', '300s'],
    reason: 'a blocking query without ?wait waits for 5 minutes',
    isTaken,
  },
  disable_anonymous_signature: { value: 'any', reason: 'svcd never checks for updates' },
  disable_coordinates: { value: true, reason: 'svcd has no network coordinates', isTaken },
  disable_host_node_id: { value: 'any', reason: 'node IDs are always random' },
  disable_http_unprintable_char_filter: {
    value: false,
    reason: 'svcd always refuses names with invisible characters',
    isTaken,
  },
  disable_keyring_file: { value: 'any', reason: 'svcd reads keys from its configuration only' },
  disable_remote_exec: { value: true, reason: 'svcd never runs commands on other machines' },
  disable_update_check: { value: true, reason: 'svcd never checks for updates', isTaken },
  discard_check_output: { value: false, reason: checkReason, isTaken },
  discovery_max_stale: { reason: 'each request sets the staleness that it accepts', isTaken },
  enable_central_service_config: {
    value: false,
    reason: 'svcd has no central configuration of services',
    isTaken,
  },
  enable_debug: { value: false, reason: '`svcd debug` works without it', isTaken },
  enable_syslog: { value: false, reason: logReason, isTaken },
  leave_on_terminate: { value: false, reason: leaveReason, isTaken },
  locality: { reason: 'svcd does not order instances by locality', isTaken },
  log_file: { reason: logReason, isTaken },
  log_rotate_bytes: { reason: logReason, isTaken },
  log_rotate_duration: { reason: logReason, isTaken },
  log_rotate_max_files: { reason: logReason, isTaken },
  max_query_time: {
    value: ['10m', '600s'],
    reason: 'a blocking query waits for at most 10 minutes',
    isTaken,
  },
  performance: { reason: raftReason, isTaken },
  protocol: {
    value: [2, 3],
    reason: 'servers negotiate the protocol version automatically',
    isTaken,
  },
  raft_boltdb: { reason: 'svcd stores the Raft log in SQLite', isTaken },
  raft_logstore: { reason: 'svcd stores the Raft log in SQLite', isTaken },
  raft_prevote_disabled: { value: false, reason: raftReason, isTaken },
  raft_protocol: { value: 3, reason: 'svcd has one version of its Raft protocol', isTaken },
  raft_snapshot_interval: { reason: raftReason, isTaken },
  raft_snapshot_threshold: { reason: raftReason, isTaken },
  raft_trailing_logs: { reason: raftReason, isTaken },
  rejoin_after_leave: {
    value: false,
    reason:
      'a server that left joins again if you start it with -retry-join and an empty data directory',
    isTaken,
  },
  reporting: { value: 'any', reason: 'svcd sends no usage reports' },
  server_rejoin_age_max: {
    reason: 'a server can return at any time; the leader sends it what it missed',
    isTaken,
  },
  session_ttl_min: { reason: 'the TTL of a session is at least 10 s', isTaken },
  skip_leave_on_interrupt: { value: true, reason: leaveReason, isTaken },
  syslog_facility: { reason: logReason, isTaken },
  'ui_config.content_path': { value: ['/ui', '/ui/'], reason: uiPath, isTaken },
  'ui_config.dashboard_url_templates': { reason: 'the web UI links to no dashboards', isTaken },
  'ui_config.dir': { reason: 'svcd serves its own web UI', isTaken },
  'ui_config.hcp_enabled': {
    value: 'any',
    reason: 'svcd does not connect to HashiCorp Cloud Platform',
  },
  'ui_config.metrics_provider': { reason: noProxyMetrics, isTaken },
  'ui_config.metrics_provider_files': { reason: noProxyMetrics, isTaken },
  'ui_config.metrics_provider_options_json': { reason: noProxyMetrics, isTaken },
  'ui_config.metrics_proxy': { reason: noProxyMetrics, isTaken },
  ui_content_path: { value: ['/ui', '/ui/'], reason: uiPath, isTaken },
  ui_dir: { reason: 'svcd serves its own web UI', isTaken },
  unix_sockets: { reason: 'svcd does not listen on Unix sockets', isTaken },
}
