import type { ConsulKey } from './consul-key.ts'

const isTaken = true
const checkReason = 'the catalog is told when a status changes, not when an output does'
const raftReason = 'Raft has one setting here, which suits a LAN'
const leaveReason = 'a server that is stopped stays a member, and `svcd leave` takes it out'
const logReason =
  'svcd logs to standard output; have the service manager, or a pipe to logger(1), keep it'

/** Consul's keys about an agent itself: its logs, its life, its log of changes. */
export const consulAgentKeys: Readonly<Record<string, ConsulKey>> = {
  auto_reload_config: {
    value: false,
    reason: 'files are read again by `svcd reload` or SIGHUP',
    isTaken,
  },
  autopilot: {
    reason:
      'servers are promoted as soon as they have caught up, and dead ones stay members until `svcd force-leave`',
    isTaken,
  },
  cache: { value: 'any', reason: 'an agent has no cache to tune' },
  check_output_max_size: { value: 4096, reason: 'an output is cut to 4096 bytes', isTaken },
  check_update_interval: { reason: checkReason, isTaken },
  default_query_time: {
    value: ['5m', '300s'],
    reason: 'a blocking query waits for 5 minutes unless it says otherwise',
    isTaken,
  },
  disable_anonymous_signature: { value: 'any', reason: 'svcd never looks for updates' },
  disable_coordinates: { value: true, reason: 'there are no network coordinates', isTaken },
  disable_host_node_id: { value: 'any', reason: 'a node id is always made at random' },
  disable_http_unprintable_char_filter: {
    value: false,
    reason: 'names with characters that cannot be seen are refused',
    isTaken,
  },
  disable_keyring_file: { value: 'any', reason: 'keys are in the configuration only' },
  disable_remote_exec: { value: true, reason: 'svcd runs no commands on other machines' },
  disable_update_check: { value: true, reason: 'svcd never looks for updates', isTaken },
  discard_check_output: { value: false, reason: checkReason, isTaken },
  discovery_max_stale: { reason: 'a client says with each request what it accepts', isTaken },
  enable_central_service_config: {
    value: false,
    reason: 'there is no central configuration of services',
    isTaken,
  },
  enable_debug: { value: false, reason: '`svcd debug` needs no such switch', isTaken },
  enable_syslog: { value: false, reason: logReason, isTaken },
  leave_on_terminate: { value: false, reason: leaveReason, isTaken },
  locality: { reason: 'instances are not ordered by place', isTaken },
  log_file: { reason: logReason, isTaken },
  log_rotate_bytes: { reason: logReason, isTaken },
  log_rotate_duration: { reason: logReason, isTaken },
  log_rotate_max_files: { reason: logReason, isTaken },
  max_query_time: {
    value: ['10m', '600s'],
    reason: 'a blocking query waits for 10 minutes at most',
    isTaken,
  },
  performance: { reason: raftReason, isTaken },
  protocol: { value: [2, 3], reason: 'servers agree on a protocol by themselves', isTaken },
  raft_boltdb: { reason: 'the log is kept in SQLite', isTaken },
  raft_logstore: { reason: 'the log is kept in SQLite', isTaken },
  raft_prevote_disabled: { value: false, reason: raftReason, isTaken },
  raft_protocol: { value: 3, reason: 'there is one protocol of Raft here', isTaken },
  raft_snapshot_interval: { reason: raftReason, isTaken },
  raft_snapshot_threshold: { reason: raftReason, isTaken },
  raft_trailing_logs: { reason: raftReason, isTaken },
  rejoin_after_leave: {
    value: false,
    reason:
      'a server that left joins again when it is started with -retry-join and an empty directory',
    isTaken,
  },
  reporting: { value: 'any', reason: 'svcd reports nothing to anybody' },
  server_rejoin_age_max: {
    reason: 'a server may come back at any time: it gets what it missed',
    isTaken,
  },
  session_ttl_min: { reason: 'there are no sessions', isTaken },
  skip_leave_on_interrupt: { value: true, reason: leaveReason, isTaken },
  syslog_facility: { reason: logReason, isTaken },
  ui: {
    value: false,
    reason: 'there is no web interface; `svcd services` and `svcd watch` show what it would',
    isTaken,
  },
  ui_config: {
    isSwitched: true,
    reason: 'there is no web interface; `svcd services` and `svcd watch` show what it would',
    isTaken,
  },
  ui_content_path: { reason: 'there is no web interface', isTaken },
  ui_dir: { reason: 'there is no web interface', isTaken },
  unix_sockets: { reason: 'svcd listens on no Unix sockets', isTaken },
}
