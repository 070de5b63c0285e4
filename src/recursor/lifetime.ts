import { rcode, recordType } from '../dns/record.ts'
import { uint32 } from './upstream-message.ts'
import type { UpstreamMessage } from './upstream-message.ts'

/** RFC 8767 §4 recommends at most a week; a day bounds what a wrong answer costs. */
const positiveMaxSeconds = 86_400
/** RFC 2308 §5 recommends one to three hours. */
const negativeMaxSeconds = 3600

/** For so many seconds an answer may be cached; 0: not at all. */
export function lifetimeSeconds({ bytes, records, rcode: code }: UpstreamMessage): number {
  const answers = records.filter(({ section }) => section === 'answer')
  const soa = records.find(({ section, type }) => {
    return section === 'authority' && type === recordType.SOA
  })
  const aliasesAlone = answers.every(({ type }) => type === recordType.CNAME)
  const isNegative = code === rcode.NXDOMAIN || answers.length === 0 || (aliasesAlone && soa)
  const ttls = answers.map(({ ttl }) => sensibleTtl(ttl))
  if (!isNegative) return Math.min(positiveMaxSeconds, ...ttls)
  // RFC 2308 §5: without an SOA a negative answer must not be cached.
  if (soa === undefined) return 0
  const minimum = uint32(bytes, soa.end - 4)
  return Math.min(negativeMaxSeconds, sensibleTtl(soa.ttl), minimum, ...ttls)
}

/** RFC 8767 §4: a TTL with its highest bit set is a large one, and cut as such. */
export function sensibleTtl(ttl: number): number {
  return Math.min(ttl, positiveMaxSeconds)
}
