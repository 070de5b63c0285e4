import type { ConsulKey } from './consul-key.ts'

const isTaken = true
const acl = 'there is no access control: whoever reaches the HTTP port may read and write'
const limitAccess =
  'Limit who can reach it (client_addr, a firewall, a reverse proxy), then leave it out'
const wan = 'there is one datacenter'
const mesh = 'there is no service mesh'
const enterprise = 'it belongs to Consul Enterprise, and svcd does not have it'
const push = 'svcd sends its metrics to nobody'
const scrape = 'Have Prometheus read /metrics, then leave it out'
const pushed = { reason: push, next: scrape } as const
const legacyToken = { reason: 'there is no access control', isTaken } as const

/** Consul's keys for features that svcd does not have. */
export const consulFeatureKeys: Readonly<Record<string, ConsulKey>> = {
  acl: { isSwitched: true, reason: acl, next: limitAccess },
  acl_agent_master_token: legacyToken,
  acl_agent_token: legacyToken,
  acl_datacenter: { reason: acl, next: limitAccess },
  acl_default_policy: { value: 'allow', reason: acl, isTaken },
  acl_down_policy: legacyToken,
  acl_enable_key_list_policy: { value: false, reason: 'there is no key/value store', isTaken },
  acl_master_token: legacyToken,
  acl_replication_token: legacyToken,
  acl_token: legacyToken,
  acl_ttl: legacyToken,
  audit: { isSwitched: true, reason: enterprise },
  auto_config: {
    isSwitched: true,
    reason: 'no server configures others',
    next: 'Give each server its own file, then leave it out',
  },
  'auto_encrypt.allow_tls': {
    value: false,
    reason: 'servers hand out no certificates',
    next: 'Give each server its own (peer_tls), then leave it out',
  },
  'auto_encrypt.dns_san': { reason: 'servers hand out no certificates', isTaken },
  'auto_encrypt.ip_san': { reason: 'servers hand out no certificates', isTaken },
  'auto_encrypt.tls': {
    value: false,
    reason: 'servers hand out no certificates',
    next: 'Give each server its own (peer_tls), then leave it out',
  },
  bootstrap: { value: 'any', reason: 'it is bootstrap_expect 1, and done' },
  cloud: { reason: 'svcd reports to no cloud service' },
  config_entries: { reason: mesh },
  connect: { isSwitched: true, reason: mesh },
  enable_acl_replication: { value: false, reason: acl },
  enable_agent_tls_for_checks: {
    value: false,
    reason: 'checks over TLS have keys of their own',
    next: 'Give check_tls.cert_file, key_file and ca_file instead',
  },
  license_path: { reason: 'svcd needs no license', isTaken },
  non_voting_server: { value: false, reason: enterprise },
  partition: { value: 'default', reason: enterprise },
  peering: { isSwitched: true, reason: wan },
  primary_datacenter: { reason: wan, isTaken },
  primary_gateways: { reason: mesh },
  primary_gateways_interval: { reason: mesh, isTaken },
  read_replica: { value: false, reason: enterprise },
  recursors: {
    reason: 'svcd answers for its own domain and its zone files, and passes no question on',
    next: 'Have your resolver send only that domain here (docs/dns.md), then leave it out',
  },
  retry_join_wan: { reason: wan },
  'rpc.enable_streaming': { value: 'any', reason: 'blocking queries need no such switch' },
  segment: { reason: enterprise },
  segments: { reason: enterprise },
  snapshot_agent: {
    reason: 'svcd runs no backups by itself',
    next: 'Run `svcd snapshot save` from cron or a systemd timer, then leave it out',
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
  'telemetry.disable_compat_1.9': { value: 'any', reason: 'metrics have names of svcd' },
  'telemetry.disable_hostname': { value: 'any', reason: 'no metric is named after the host' },
  'telemetry.disable_per_tenancy_usage_metrics': { value: 'any', reason: 'there are no tenants' },
  'telemetry.dogstatsd_addr': pushed,
  'telemetry.dogstatsd_tags': { reason: push, isTaken },
  'telemetry.enable_host_metrics': { value: false, reason: 'the host is not measured', isTaken },
  'telemetry.filter_default': { value: true, reason: 'all metrics are shown', isTaken },
  'telemetry.metrics_prefix': { reason: 'metrics begin with svcd_', isTaken },
  'telemetry.prefix_filter': { reason: 'all metrics are shown', isTaken },
  'telemetry.prometheus_retention_time': { value: 'any', reason: '/metrics always answers' },
  'telemetry.retry_failed_connection': { value: 'any', reason: push },
  'telemetry.statsd_address': pushed,
  'telemetry.statsite_address': pushed,
  use_streaming_backend: { value: 'any', reason: 'blocking queries need no such switch' },
  watches: {
    reason: 'an agent runs no handlers',
    next: 'Run `svcd watch`, or read /v1/watch, in a process of its own, then leave it out',
  },
  xds: { reason: mesh, isTaken },
}
