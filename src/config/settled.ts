import type { ConsulKey } from './consul-key.ts'

/** Consul's keys about DNS and limits that are not options of svcd. */
export const settledKeys: Readonly<Record<string, ConsulKey>> = {
  'dns_config.a_record_limit': {
    value: 0,
    reason: 'an answer contains all records that fit',
    isTaken: true,
  },
  'dns_config.allow_stale': {
    value: true,
    reason: 'every server answers DNS from its own copy of the catalog',
  },
  'dns_config.disable_compression': {
    value: false,
    reason: 'svcd compresses all names except SRV targets',
    isTaken: true,
  },
  'dns_config.udp_answer_limit': {
    value: undefined,
    reason: 'a UDP answer contains all records that fit',
    isTaken: true,
  },
  'dns_config.use_cache': {
    value: false,
    reason: 'every server answers DNS from its own copy of the catalog',
    isTaken: true,
  },
  'dns_config.cache_max_age': {
    reason: 'every server answers DNS from its own copy of the catalog',
    isTaken: true,
  },
  'dns_config.max_stale': {
    reason:
      'every server answers DNS from its own copy of the catalog, and shortens TTLs when that copy is old',
    isTaken: true,
  },
  'dns_config.prefer_namespace': { value: false, reason: 'svcd has no namespaces' },
  'limits.rpc_rate': {
    value: -1,
    reason: 'limits.write_rate limits changes for each client',
  },
  'limits.rpc_max_burst': {
    value: 'any',
    reason: 'limits.write_rate limits changes for each client',
  },
  'limits.rpc_client_timeout': {
    reason: 'forwarded requests have a fixed time limit',
    isTaken: true,
  },
  'limits.request_limits.mode': {
    value: 'disabled',
    reason: 'limits.write_rate limits changes for each client',
  },
  'limits.request_limits.read_rate': {
    value: -1,
    reason: 'limits.write_rate limits changes for each client',
    isTaken: true,
  },
  'limits.request_limits.write_rate': {
    value: -1,
    reason: 'limits.write_rate limits changes for each client',
    isTaken: true,
  },
  'limits.kv_max_value_size': { reason: 'a value has at most 512 KiB', isTaken: true },
  'limits.txn_max_req_len': { reason: 'a transaction has at most 512 KiB', isTaken: true },
  encrypt_verify_outgoing: {
    value: true,
    reason: 'encrypt_verify_incoming applies to both directions',
    isTaken: true,
  },
  translate_wan_addrs: {
    value: false,
    reason: 'an svcd cluster has one datacenter',
  },
}
