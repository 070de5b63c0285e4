import { consulAgentKeys } from './consul-agent-keys.ts'
import { consulFeatureKeys } from './consul-feature-keys.ts'
import type { ConsulKey } from './consul-key.ts'
import { consulNetworkKeys } from './consul-network-keys.ts'
import type { OptionName } from './options.ts'
import { settledKeys } from './settled.ts'

/**
 * Every key of Consul's configuration that is not an option of svcd, by its dotted path in a file. A row also
 * applies to all keys below it. So svcd accepts a file of Consul that asks only for features of svcd.
 */
export const consulKeys: Readonly<Record<string, ConsulKey>> = {
  ...settledKeys,
  ...consulAgentKeys,
  ...consulNetworkKeys,
  ...consulFeatureKeys,
}

/** Consul's other names for options. */
export const consulSynonyms: Readonly<Record<string, OptionName>> = {
  'acl.tokens.agent_master': 'acl.tokens.agentRecovery',
  'acl.tokens.master': 'acl.tokens.initialManagement',
  acl_agent_master_token: 'acl.tokens.agentRecovery',
  acl_agent_token: 'acl.tokens.agent',
  acl_default_policy: 'acl.defaultPolicy',
  acl_master_token: 'acl.tokens.initialManagement',
  acl_token: 'acl.tokens.default',
  start_join: 'retryJoin',
  ui: 'ui',
  // Before Consul 1.12, and the same for all its ports since then.
  cert_file: 'https.certFile',
  key_file: 'https.keyFile',
  ca_file: 'https.caFile',
  verify_incoming_https: 'https.verifyIncoming',
  'tls.defaults.cert_file': 'https.certFile',
  'tls.defaults.key_file': 'https.keyFile',
  'tls.defaults.ca_file': 'https.caFile',
}

/** A flag of Consul that is not a flag of svcd: its value is judged like that of its file key. */
export interface ConsulFlag {
  readonly key: string
  /** `switch`: without a value. */
  readonly kind: 'switch' | 'integer' | 'text'
  /** The row for a flag without a file key. */
  readonly row?: ConsulKey
}

const hcl = 'svcd reads only JSON files'

/** By the flag, without dashes. */
export const consulFlags: Readonly<Record<string, ConsulFlag>> = {
  'advertise-wan': { key: 'advertise_addr_wan', kind: 'text' },
  'allow-write-http-from': { key: 'http_config.allow_write_http_from', kind: 'text' },
  'auto-reload-config': { key: 'auto_reload_config', kind: 'switch' },
  bootstrap: { key: 'bootstrap', kind: 'switch' },
  'config-format': {
    key: '',
    kind: 'text',
    row: { value: 'json', reason: hcl, next: 'Write the files in JSON' },
  },
  check_output_max_size: { key: 'check_output_max_size', kind: 'integer' },
  'default-query-time': { key: 'default_query_time', kind: 'text' },
  'disable-host-node-id': { key: 'disable_host_node_id', kind: 'switch' },
  'disable-keyring-file': { key: 'disable_keyring_file', kind: 'switch' },
  'grpc-port': { key: 'ports.grpc', kind: 'integer' },
  'grpc-tls-port': { key: 'ports.grpc_tls', kind: 'integer' },
  hcl: {
    key: '',
    kind: 'text',
    row: {
      reason: hcl,
      next: 'Write the setting in JSON to a file, and load it with -config-file',
    },
  },
  join: { key: 'start_join', kind: 'text' },
  'join-wan': { key: 'start_join_wan', kind: 'text' },
  'log-file': { key: 'log_file', kind: 'text' },
  'log-rotate-bytes': { key: 'log_rotate_bytes', kind: 'integer' },
  'log-rotate-duration': { key: 'log_rotate_duration', kind: 'text' },
  'log-rotate-max-files': { key: 'log_rotate_max_files', kind: 'integer' },
  'max-query-time': { key: 'max_query_time', kind: 'text' },
  'non-voting-server': { key: 'non_voting_server', kind: 'switch' },
  'primary-gateway': { key: 'primary_gateways', kind: 'text' },
  protocol: { key: 'protocol', kind: 'integer' },
  'raft-protocol': { key: 'raft_protocol', kind: 'integer' },
  'read-replica': { key: 'read_replica', kind: 'switch' },
  rejoin: { key: 'rejoin_after_leave', kind: 'switch' },
  'retry-interval': { key: 'retry_interval', kind: 'text' },
  'retry-interval-wan': { key: 'retry_interval_wan', kind: 'text' },
  'retry-join-wan': { key: 'retry_join_wan', kind: 'text' },
  'retry-max': { key: 'retry_max', kind: 'integer' },
  'retry-max-wan': { key: 'retry_max_wan', kind: 'integer' },
  segment: { key: 'segment', kind: 'text' },
  'serf-lan-allowed-cidrs': { key: 'serf_lan_allowed_cidrs', kind: 'text' },
  'serf-lan-bind': { key: 'serf_lan', kind: 'text' },
  'serf-lan-port': { key: 'ports.serf_lan', kind: 'integer' },
  'serf-wan-allowed-cidrs': { key: 'serf_wan_allowed_cidrs', kind: 'text' },
  'serf-wan-bind': { key: 'serf_wan', kind: 'text' },
  'serf-wan-port': { key: 'ports.serf_wan', kind: 'integer' },
  syslog: { key: 'enable_syslog', kind: 'switch' },
  'ui-content-path': { key: 'ui_content_path', kind: 'text' },
  'ui-dir': { key: 'ui_dir', kind: 'text' },
}
