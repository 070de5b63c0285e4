import { nameKey, readName } from '../dns/name.ts'
import { foldOctet } from '../dns/query-scan.ts'
import { rcode, recordClass, recordType } from '../dns/record.ts'
import { readUpstreamMessage } from './upstream-message.ts'
import type { UpstreamMessage, WireRecord } from './upstream-message.ts'

/** What came back for a query. */
export type Reply =
  /** It does not answer the query; a true answer may still come. */
  | { readonly kind: 'foreign' }
  /** It answers the query but has lost the case of the question's letters. */
  | { readonly kind: 'case-lost'; readonly message: UpstreamMessage }
  | { readonly kind: 'truncated' }
  /** The server cannot read OPT. */
  | { readonly kind: 'no-edns' }
  /** The server does not know, or does not do recursion. */
  | { readonly kind: 'lame'; readonly message: UpstreamMessage | undefined }
  | { readonly kind: 'answer'; readonly message: UpstreamMessage }

const headerBytes = 12
const aliasesMax = 32
/** The first octet of a pointer into the first 256 octets of a message (RFC 1035 §4.1.4). */
const pointer = 0xc0
const { CNAME, DNAME, SOA, NS, ANY } = recordType

/** Judges a packet from the address that `query` was sent to (RFC 5452 §9.1). */
export function judgeReply(query: Uint8Array, bytes: Uint8Array): Reply {
  if (bytes[0] !== query[0] || bytes[1] !== query[1]) return { kind: 'foreign' }
  const message = readUpstreamMessage(bytes)
  if (message === undefined)
    return isBareHeader(bytes) ? { kind: 'lame', message } : { kind: 'foreign' }
  const { questionEnd } = message
  const hadEdns = query[11] === 1
  const isFormError = message.rcode === rcode.FORMERR || message.rcode === rcode.NOTIMP
  // RFC 6891 §7: a server that does not know OPT may return the header alone.
  if (isFormError && hadEdns && !message.hasOpt) return { kind: 'no-edns' }
  if (questionEnd === headerBytes) {
    return message.rcode === rcode.NOERROR ? { kind: 'foreign' } : { kind: 'lame', message }
  }
  const question = compareQuestion(query, bytes, questionEnd)
  if (question === 'other') return { kind: 'foreign' }
  if (question === 'case') return { kind: 'case-lost', message }
  return judgeContents(message)
}

/** Judges what a message says, after it was found to answer the question. */
export function judgeContents(message: UpstreamMessage): Reply {
  if (message.isTruncated) return { kind: 'truncated' }
  const isKnown = message.rcode === rcode.NOERROR || message.rcode === rcode.NXDOMAIN
  const isLame = !isKnown || isReferral(message) || !isChainValid(message)
  return isLame ? { kind: 'lame', message } : { kind: 'answer', message }
}

/** A response to a query that the server could not read. */
function isBareHeader(bytes: Uint8Array): boolean {
  const isResponse = bytes.length === headerBytes && ((bytes[2] ?? 0) & 0x80) !== 0
  return isResponse && ((bytes[3] ?? 0) & 0x0f) !== rcode.NOERROR
}

function compareQuestion(
  query: Uint8Array,
  bytes: Uint8Array,
  questionEnd: number,
): 'same' | 'case' | 'other' {
  let found: 'same' | 'case' = 'same'
  for (let at = headerBytes; at < questionEnd; at++) {
    const [a = 0, b = 0] = [query[at], bytes[at]]
    if (a === b) continue
    // Type and class are not letters.
    if (at >= questionEnd - 4 || foldOctet(a) !== foldOctet(b)) return 'other'
    found = 'case'
  }
  return found
}

/** RFC 2308 §2.2: no answer and no SOA, but name servers to ask instead. */
function isReferral({ records, isAuthoritative, rcode: code }: UpstreamMessage): boolean {
  if (code !== rcode.NOERROR || isAuthoritative) return false
  if (records.some(({ section }) => section === 'answer')) return false
  const authority = records.filter(({ section }) => section === 'authority')
  return authority.some(({ type }) => type === NS) && !authority.some(({ type }) => type === SOA)
}

/**
 * Whether each record of the answer belongs to the question or to an alias of it, and the aliases do not
 * form a loop. Other records could be an attempt to place names in the cache of a client.
 */
function isChainValid(message: UpstreamMessage): boolean {
  const { bytes, questionEnd, records } = message
  if (records.every((record) => isOfQuestion(bytes, record))) return true
  const answers = records.filter(({ section }) => section === 'answer')
  const asked = nameKey(readName(bytes, headerBytes, bytes.length)?.name ?? [])
  const keyAt = (at: number): string => {
    // Nearly all names of an answer are pointers to the question.
    if (bytes[at] === pointer && bytes[at + 1] === headerBytes) return asked
    return nameKey(readName(bytes, at, bytes.length)?.name ?? [])
  }
  const askedType = ((bytes[questionEnd - 4] ?? 0) << 8) | (bytes[questionEnd - 3] ?? 0)
  if (answers.some((record) => record.class !== recordClass.IN)) return false
  const targets = new Map<string, string>()
  for (const record of answers) {
    if (record.type === CNAME) targets.set(keyAt(record.at), keyAt(record.dataAt))
  }
  const chain = new Set<string>()
  if (askedType === CNAME || askedType === ANY) chain.add(asked)
  else {
    for (let name: string | undefined = asked; name !== undefined; name = targets.get(name)) {
      if (chain.has(name) || chain.size > aliasesMax) return false
      chain.add(name)
    }
  }
  return answers.every((record) => isOfChain(record, keyAt(record.at), chain))
}

/** Whether a record that is not an alias belongs to the question itself, as most do; only those of the answer count. */
function isOfQuestion(bytes: Uint8Array, { section, at, type, class: of }: WireRecord): boolean {
  if (section !== 'answer') return true
  const isPointer = bytes[at] === pointer && bytes[at + 1] === headerBytes
  return isPointer && type !== CNAME && of === recordClass.IN
}

function isOfChain({ type }: WireRecord, owner: string, chain: ReadonlySet<string>): boolean {
  if (chain.has(owner)) return true
  // RFC 6672 §3.1: DNAME, and the signature of it, stand above the names that it renames.
  const isAbove = [...chain].some((name) => name.endsWith(owner))
  return isAbove && (type === DNAME || type === recordType.RRSIG)
}
