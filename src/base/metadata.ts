const pairsMax = 64
const keyLengthMax = 128
const valueLengthMax = 512

/**
 * Why the metadata of a node or service is refused, in Consul's words; undefined when it is fine. Keys
 * with the prefix `consul-` are Consul's own, unless `mayReserve`.
 */
export function metadataFault(
  meta: Readonly<Record<string, string>>,
  mayReserve: boolean,
): string | undefined {
  const pairs = Object.entries(meta)
  if (pairs.length > pairsMax) return `cannot contain more than ${pairsMax} key/value pairs`
  for (const [key, value] of pairs) {
    const reason = pairFault(key, value, mayReserve)
    if (reason !== undefined) {
      return `Couldn't load metadata pair ('${key}', '${value.slice(0, 64)}'): ${reason}`
    }
  }
  return undefined
}

function pairFault(key: string, value: string, mayReserve: boolean): string | undefined {
  if (key === '') return 'Key cannot be blank'
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return 'Key contains invalid characters'
  if (key.length > keyLengthMax) return `Key is too long (limit: ${keyLengthMax} characters)`
  if (!mayReserve && key.startsWith('consul-')) {
    return "Key prefix 'consul-' is reserved for internal use"
  }
  if (Buffer.byteLength(value) > valueLengthMax) {
    return `Value is too long (limit: ${valueLengthMax} characters)`
  }
  return undefined
}
