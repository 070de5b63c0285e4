import type { ConsulKey } from './consul-key.ts'

/** Consul's keys about DNS and about client limits that are not options here. */
export const settledKeys: Readonly<Record<string, ConsulKey>> = {
  'dns_config.a_record_limit': {
    value: 0,
    reason: 'an answer holds all that fits',
    isTaken: true,
  },
  'dns_config.allow_stale': {
    value: true,
    reason: 'every node answers DNS from its own copy',
  },
  'dns_config.disable_compression': {
    value: false,
    reason: 'names are compressed, but for those of SRV targets',
    isTaken: true,
  },
  'dns_config.udp_answer_limit': {
    value: undefined,
    reason: 'an answer over UDP holds all that fits',
    isTaken: true,
  },
  'dns_config.use_cache': {
    value: false,
    reason: 'every node answers DNS from its own copy',
    isTaken: true,
  },
  'dns_config.cache_max_age': {
    reason: 'every node answers DNS from its own copy',
    isTaken: true,
  },
  'dns_config.max_stale': {
    reason: 'every node answers DNS from its own copy, and shortens the TTL when that is old',
    isTaken: true,
  },
  'dns_config.recursor_strategy': { reason: 'svcd asks no other DNS servers', isTaken: true },
  'dns_config.recursor_timeout': { reason: 'svcd asks no other DNS servers', isTaken: true },
  'dns_config.prefer_namespace': { value: false, reason: 'there are no namespaces' },
  'limits.https_handshake_timeout': {
    value: 'any',
    reason: 'no port speaks HTTPS',
  },
  'limits.rpc_rate': {
    value: -1,
    reason: 'only connections are limited, not requests',
  },
  'limits.rpc_max_burst': {
    value: 'any',
    reason: 'only connections are limited, not requests',
  },
  'limits.rpc_client_timeout': {
    reason: 'a request that is forwarded has a limit of its own',
    isTaken: true,
  },
  'limits.request_limits.mode': {
    value: 'disabled',
    reason: 'only connections are limited, not requests',
  },
  'limits.request_limits.read_rate': {
    value: -1,
    reason: 'only connections are limited, not requests',
    isTaken: true,
  },
  'limits.request_limits.write_rate': {
    value: -1,
    reason: 'only connections are limited, not requests',
    isTaken: true,
  },
  'limits.kv_max_value_size': { reason: 'there is no key/value store', isTaken: true },
  'limits.txn_max_req_len': { reason: 'there are no transactions', isTaken: true },
  encrypt_verify_outgoing: {
    value: true,
    reason: 'encrypt_verify_incoming is about both directions',
    isTaken: true,
  },
  translate_wan_addrs: {
    value: false,
    reason: 'there is one datacenter',
  },
}
