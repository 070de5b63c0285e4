import { rcode, recordType } from '../dns/record.ts'
import { uint32 } from './upstream-message.ts'
import type { UpstreamMessage, WireRecord } from './upstream-message.ts'

/** RFC 8767 §4 recommends at most a week; a day bounds what a wrong answer costs. */
const positiveMaxSeconds = 86_400
/** RFC 2308 §5 recommends one to three hours. */
const negativeMaxSeconds = 3600

/** For so many seconds an answer may be cached; 0: not at all. */
export function lifetimeSeconds({ bytes, records, rcode: code }: UpstreamMessage): number {
  let soa: WireRecord | undefined
  let shortest = positiveMaxSeconds
  let [answers, aliases] = [0, 0]
  for (const record of records) {
    const { section, type, ttl } = record
    if (section === 'answer') {
      answers++
      if (type === recordType.CNAME) aliases++
      shortest = Math.min(shortest, sensibleTtl(ttl))
    } else if (section === 'authority' && type === recordType.SOA) soa ??= record
  }
  const hasAliasesAlone = answers === aliases && soa !== undefined
  const isNegative = code === rcode.NXDOMAIN || answers === 0 || hasAliasesAlone
  if (!isNegative) return shortest
  // RFC 2308 §5: without an SOA a negative answer must not be cached.
  if (soa === undefined) return 0
  const minimum = uint32(bytes, soa.end - 4)
  return Math.min(negativeMaxSeconds, sensibleTtl(soa.ttl), minimum, shortest)
}

/** RFC 8767 §4: a TTL with its highest bit set is a large one, and cut as such. */
export function sensibleTtl(ttl: number): number {
  return Math.min(ttl, positiveMaxSeconds)
}
