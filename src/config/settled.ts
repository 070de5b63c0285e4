/** A key of Consul's that is no option here, as it has one value only. */
interface SettledKey {
  /** What a file may say; undefined: nothing; `any`: what it likes, for it limits nothing here. */
  readonly value: boolean | number | 'any' | undefined
  readonly reason: string
}

/** So that a config file of Consul's is taken as far as it asks for what svcd does anyway. */
export const settledKeys: Readonly<Record<string, SettledKey>> = {
  'dns_config.a_record_limit': {
    value: 0,
    reason: 'an answer holds all that fits',
  },
  'dns_config.allow_stale': {
    value: true,
    reason: 'every node answers DNS from its own copy',
  },
  'dns_config.disable_compression': {
    value: false,
    reason: 'names are compressed, but for those of SRV targets',
  },
  'dns_config.udp_answer_limit': {
    value: undefined,
    reason: 'an answer over UDP holds all that fits',
  },
  'dns_config.use_cache': {
    value: false,
    reason: 'every node answers DNS from its own copy',
  },
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
  'limits.request_limits': {
    value: undefined,
    reason: 'only connections are limited, not requests',
  },
  encrypt_verify_outgoing: {
    value: true,
    reason: 'encrypt_verify_incoming is about both directions',
  },
  translate_wan_addrs: {
    value: false,
    reason: 'there is one datacenter',
  },
}

/** Why a file may not say that; undefined when it may. */
export function settledProblem(key: string, value: unknown): string | undefined {
  const settled = settledKeys[key]
  if (settled === undefined || settled.value === 'any' || settled.value === value) return undefined
  const wanted = settled.value === undefined ? '' : ` or say ${JSON.stringify(settled.value)}`
  return `svcd has no such option: ${settled.reason}. Leave it out${wanted}`
}
