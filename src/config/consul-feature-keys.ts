import type { ConsulKey } from './consul-key.ts'

const isTaken = true
const ownTokens = 'every svcd server has its own copy of all tokens'
const legacyAcl = 'Consul had it before version 1.4'
const wan = 'an svcd cluster has one datacenter'
const mesh = 'svcd has no service mesh'
const enterprise = 'svcd does not have this feature of Consul Enterprise'
const push = 'svcd does not push metrics'
const scrape = 'Let Prometheus scrape /metrics, then remove it'
const pushed = { reason: push, next: scrape } as const
const certificates = 'svcd servers do not distribute certificates'
const ownCertificate = 'Give each server its own certificate (peer_tls), then remove it'
const unused = { value: 'any', reason: ownTokens } as const

/** Consul's keys for features that svcd does not have. */
export const consulFeatureKeys: Readonly<Record<string, ConsulKey>> = {
  'acl.disabled_ttl': unused,
  'acl.down_policy': unused,
  'acl.enable_key_list_policy': {
    value: false,
    reason: 'the right to read keys is enough to list them',
  },
  'acl.enable_token_persistence': {
    value: false,
    reason: 'tokens that are set with PUT /v1/agent/token are forgotten at the next start',
    isTaken,
  },
  'acl.enable_token_replication': { value: false, reason: wan },
  'acl.policy_ttl': unused,
  'acl.role_ttl': unused,
  'acl.token_ttl': unused,
  'acl.tokens.config_file_service_registration': {
    reason: 'the agent registers the services of its files without a token',
    isTaken,
  },
  'acl.tokens.managed_service_provider': { reason: enterprise },
  'acl.tokens.replication': { reason: wan, isTaken },
  acl_datacenter: {
    reason: legacyAcl,
    next: 'Write {"acl": {"enabled": true}}, then remove it',
  },
  acl_down_policy: unused,
  acl_enable_key_list_policy: {
    value: false,
    reason: 'the right to read keys is enough to list them',
  },
  acl_enforce_version_8: { value: true, reason: legacyAcl },
  acl_replication_token: { reason: wan, isTaken },
  acl_ttl: unused,
  'audit.enabled': { value: 'any', reason: 'audit.file turns the audit log on' },
  'audit.sink': {
    reason: 'svcd has one audit log, a file',
    next: 'Set audit.file to the path of the sink, and audit.rotate_bytes, audit.rotate_duration and audit.rotate_max_files as the sink has them, then remove it',
  },
  'audit.rpc_enabled': { value: false, reason: 'svcd records changes and denied requests' },
  auto_config: {
    isSwitched: true,
    reason: 'svcd servers do not distribute configuration',
    next: 'Give each server its own configuration file, then remove it',
  },
  'auto_encrypt.allow_tls': {
    value: false,
    reason: certificates,
    next: ownCertificate,
  },
  'auto_encrypt.dns_san': { reason: certificates, isTaken },
  'auto_encrypt.ip_san': { reason: certificates, isTaken },
  'auto_encrypt.tls': {
    value: false,
    reason: certificates,
    next: ownCertificate,
  },
  bootstrap: { value: 'any', reason: 'svcd applies it as bootstrap_expect 1' },
  cloud: { reason: 'svcd does not connect to HashiCorp Cloud Platform' },
  config_entries: { reason: mesh },
  connect: { isSwitched: true, reason: mesh },
  enable_acl_replication: { value: false, reason: wan },
  enable_agent_tls_for_checks: {
    value: false,
    reason: 'TLS checks have their own keys',
    next: 'Set check_tls.cert_file, check_tls.key_file and check_tls.ca_file, then remove it',
  },
  license_path: { reason: 'svcd does not need a license', isTaken },
  non_voting_server: { value: false, reason: enterprise },
  partition: { value: 'default', reason: enterprise },
  peering: { isSwitched: true, reason: wan },
  primary_datacenter: { reason: wan, isTaken },
  primary_gateways: { reason: mesh },
  primary_gateways_interval: { reason: mesh, isTaken },
  read_replica: { value: false, reason: enterprise },
  retry_join_wan: { reason: wan },
  'rpc.enable_streaming': { value: 'any', reason: 'blocking queries work without it' },
  segment: { reason: enterprise },
  segments: { reason: enterprise },
  snapshot_agent: {
    reason: 'the agent does not make backups automatically',
    next: 'Run `svcd snapshot save` from cron or a systemd timer, then remove it',
  },
  start_join_wan: { reason: wan },
  'telemetry.circonus_api_app': pushed,
  'telemetry.circonus_api_token': pushed,
  'telemetry.circonus_api_url': pushed,
  'telemetry.circonus_broker_id': pushed,
  'telemetry.circonus_broker_select_tag': pushed,
  'telemetry.circonus_check_display_name': pushed,
  'telemetry.circonus_check_force_metric_activation': pushed,
  'telemetry.circonus_check_id': pushed,
  'telemetry.circonus_check_instance_id': pushed,
  'telemetry.circonus_check_search_tag': pushed,
  'telemetry.circonus_check_tags': pushed,
  'telemetry.circonus_submission_interval': pushed,
  'telemetry.circonus_submission_url': pushed,
  'telemetry.disable_compat_1.9': { value: 'any', reason: 'svcd has its own metric names' },
  'telemetry.disable_hostname': {
    value: 'any',
    reason: 'metric names never contain the host name',
  },
  'telemetry.disable_per_tenancy_usage_metrics': { value: 'any', reason: 'svcd has no tenants' },
  'telemetry.dogstatsd_addr': pushed,
  'telemetry.dogstatsd_tags': { reason: push, isTaken },
  'telemetry.enable_host_metrics': {
    value: false,
    reason: 'svcd does not measure the host',
    isTaken,
  },
  'telemetry.filter_default': {
    value: true,
    reason: '/metrics always contains all metrics',
    isTaken,
  },
  'telemetry.metrics_prefix': { reason: 'the names of all metrics start with svcd_', isTaken },
  'telemetry.prefix_filter': { reason: '/metrics always contains all metrics', isTaken },
  'telemetry.prometheus_retention_time': { value: 'any', reason: '/metrics is always on' },
  'telemetry.retry_failed_connection': { value: 'any', reason: push },
  'telemetry.statsd_address': pushed,
  'telemetry.statsite_address': pushed,
  use_streaming_backend: { value: 'any', reason: 'blocking queries work without it' },
  watches: {
    reason: 'the agent does not run watch handlers',
    next: 'Run `svcd watch` or read /v1/watch in a separate process, then remove it',
  },
  xds: { reason: mesh, isTaken },
}
