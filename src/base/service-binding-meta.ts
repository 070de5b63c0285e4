/** What a service says in its meta about its SVCB and HTTPS records (RFC 9460). */
export interface BindingMeta {
  readonly priority: number
  /** The protocols of ALPN, in the order of preference. */
  readonly alpn: readonly string[]
  readonly hasDefaultAlpn: boolean
  readonly ech: Uint8Array | undefined
  readonly dohPath: string | undefined
}

type Meta = Readonly<Record<string, string>>

export const bindingMetaPrefix = 'svcb-'

const keys = {
  alpn: 'svcb-alpn',
  noDefaultAlpn: 'svcb-no-default-alpn',
  priority: 'svcb-priority',
  ech: 'svcb-ech',
  dohPath: 'svcb-dohpath',
} as const

/** Any other key with the prefix is probably a mistake. */
export const bindingMetaKeys: readonly string[] = Object.values(keys)

const priorityMax = 65_535
const protocolBytesMax = 255

/** Why a value is refused; undefined if it is valid. */
const faults: Readonly<Record<string, (value: string, meta: Meta) => string | undefined>> = {
  [keys.alpn]: (value) => {
    const isValid = value.split(',').every((protocol) => isProtocol(protocol))
    return isValid ? undefined : 'is not a list of protocols such as "h2,http/1.1"'
  },
  [keys.noDefaultAlpn]: (value, meta) => {
    if (value !== 'true' && value !== 'false') return 'is not "true" or "false"'
    // RFC 9460 §7.1.1: it needs alpn.
    const isAlone = value === 'true' && meta[keys.alpn] === undefined
    return isAlone ? `needs ${keys.alpn}, which lists the protocols that are left` : undefined
  },
  [keys.priority]: (value) => {
    // RFC 9460 §2.4.1: priority 0 would make the record an alias.
    const isValid = /^[1-9]\d{0,4}$/.test(value) && Number(value) <= priorityMax
    return isValid ? undefined : `is not a number from 1 to ${priorityMax}`
  },
  [keys.ech]: (value) => {
    const isValid = value !== '' && Buffer.from(value, 'base64').toString('base64') === value
    return isValid ? undefined : 'is not valid base64'
  },
  [keys.dohPath]: (value) => {
    // RFC 9461 §5: a relative template with the variable `dns`.
    const isValid = /^\/[!-~]*\{\?dns\}$/.test(value)
    return isValid ? undefined : 'is not a path such as "/dns-query{?dns}"'
  },
}

/** Neither the comma that separates protocols nor what would need an escape in a zone file. */
function isProtocol(text: string): boolean {
  return text.length <= protocolBytesMax && /^[!-~]+$/.test(text) && !/["\\;()]/.test(text)
}

/** Why the meta of a service is refused: the key, its value and the reason; undefined if it is valid. */
export function bindingMetaFault(meta: Meta): string | undefined {
  for (const key of bindingMetaKeys) {
    const value = meta[key]
    if (value === undefined) continue
    const reason = faults[key]?.(value, meta)
    if (reason !== undefined) return `${key} ${JSON.stringify(value.slice(0, 64))} ${reason}`
  }
  return undefined
}

/** Reads the meta. Values that an earlier release has stored without checking them are left out. */
export function bindingMetaOf(meta: Meta): BindingMeta {
  const valid = (key: string): string | undefined => {
    const value = meta[key]
    return value === undefined || faults[key]?.(value, meta) !== undefined ? undefined : value
  }
  const ech = valid(keys.ech)
  return {
    priority: Number(valid(keys.priority) ?? 1),
    alpn: valid(keys.alpn)?.split(',') ?? [],
    hasDefaultAlpn: valid(keys.noDefaultAlpn) !== 'true',
    ech: ech === undefined ? undefined : Buffer.from(ech, 'base64'),
    dohPath: valid(keys.dohPath),
  }
}

/** Whether a protocol of ALPN is HTTP over TLS or QUIC. */
export function isHttpProtocol(protocol: string): boolean {
  return protocol === 'h2' || /^http\/1\.[01]$/.test(protocol) || /^h3(?:-|$)/.test(protocol)
}
