/**
 * A domain name as its labels, leftmost first; the root is []. A label is a byte string: one
 * character (U+0000–U+00FF) per octet, 1 to 63 of them, in the case it was written in.
 */
export type Name = readonly string[]

const labelBytesMax = 63
const nameBytesMax = 255
/** No name begins inside a message's header. */
const headerBytes = 12

/** The octets a name takes on the wire without compression, its root label counted. */
export function wireLength(name: Name): number {
  let length = 1
  for (const label of name) length += 1 + label.length
  return length
}

/** Whether the labels obey the limits of RFC 1035 §2.3.4. */
export function isValidName(name: Name): boolean {
  for (const label of name) {
    if (label.length === 0 || label.length > labelBytesMax) return false
  }
  return wireLength(name) <= nameBytesMax
}

/** A host name that may contain underscores: resolvers accept it in an answer. */
export function isNearlyHostName(name: Name): boolean {
  return name.every((label) => /^[\w-]+$/.test(label)) && isValidName(name)
}

/** Folds case as RFC 4343 §3 does: A–Z only, all other octets as they are. */
export function lowerAscii(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x41 && code <= 0x5a) {
      return text.replaceAll(/[A-Z]+/g, (run) => run.toLowerCase())
    }
  }
  return text
}

/** A string that is equal for two names exactly when they are the same name (RFC 4343). */
export function nameKey(name: Name): string {
  let key = ''
  // Each label after its length (at most 63, so never a letter to fold): a label may hold a dot.
  for (const label of name) key += String.fromCharCode(label.length) + label
  return lowerAscii(key)
}

export function sameName(a: Name, b: Name): boolean {
  return a === b || (a.length === b.length && nameKey(a) === nameKey(b))
}

/** Whether `name` is `zone` or lies below it. */
export function isWithin(name: Name, zone: Name): boolean {
  return name.length >= zone.length && sameName(name.slice(name.length - zone.length), zone)
}

/**
 * Parses the presentation form of RFC 1035 §5.1: dots between labels, `\.` and `\DDD` escapes, a
 * final dot allowed. Text beyond ASCII becomes its UTF-8 octets. Undefined when it breaks a limit.
 */
export function parseName(text: string): Name | undefined {
  return parseOctetName(utf8ToOctets(text))
}

/** {@link parseName} of a text that has one character per octet. */
export function parseOctetName(bytes: string): Name | undefined {
  if (bytes === '.' || bytes === '') return []
  if (!bytes.includes('\\')) {
    const plain = (bytes.endsWith('.') ? bytes.slice(0, -1) : bytes).split('.')
    return isValidName(plain) ? plain : undefined
  }
  const labels: string[] = []
  let label = ''
  for (let at = 0; at < bytes.length; at++) {
    const char = bytes.charAt(at)
    if (char === '.') {
      labels.push(label)
      label = ''
    } else if (char === '\\') {
      const octet = parseEscape(bytes, at)
      if (octet === undefined) return undefined
      label += octet.char
      at += octet.width
    } else {
      label += char
    }
  }
  if (label !== '') labels.push(label)
  return isValidName(labels) ? labels : undefined
}

function parseEscape(text: string, at: number): { char: string; width: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0]
  if (digits !== undefined) {
    const value = Number(digits)
    return value > 255 ? undefined : { char: String.fromCharCode(value), width: 3 }
  }
  const char = text.charAt(at + 1)
  return char === '' || /\d/.test(char) ? undefined : { char, width: 1 }
}

/** The presentation form, with its final dot. Characters that do not print are escaped. */
export function formatName(name: Name): string {
  if (name.length === 0) return '.'
  return name.map((label) => `${escapeLabel(label)}.`).join('')
}

function escapeLabel(label: string): string {
  return label.replaceAll(/[^!-~]|[.\\"();@$]/g, (char) => {
    const code = char.charCodeAt(0)
    return code > 32 && code < 127 ? `\\${char}` : `\\${String(code).padStart(3, '0')}`
  })
}

/** The octets of `text` in UTF-8, one character each. */
export function utf8ToOctets(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** The text whose UTF-8 octets are `octets`; invalid UTF-8 becomes U+FFFD. */
export function octetsToUtf8(octets: string): string {
  return isAscii(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8')
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}

/**
 * Reads a name that starts at `start` and ends before `end`. Returns the name and where the next
 * field begins; undefined when it is malformed, too long, runs out of the packet or loops.
 */
export function readName(
  packet: Uint8Array,
  start: number,
  end: number,
): { readonly name: Name; readonly next: number } | undefined {
  const next = skipName(packet, start, end)
  if (next === undefined) return undefined
  const name: string[] = []
  let at = start
  for (let size = packet[at] ?? 0; size !== 0; size = packet[at] ?? 0) {
    if (size >= 0xc0) {
      at = ((size & 0x3f) << 8) | (packet[at + 1] ?? 0)
    } else {
      name.push(octetsOf(packet, at + 1, at + 1 + size))
      at += 1 + size
    }
  }
  return { name, next }
}

/** Where the field behind a name begins; undefined where {@link readName} is. */
export function skipName(packet: Uint8Array, start: number, end: number): number | undefined {
  let next = -1
  let at = start
  let length = 1
  // A pointer may only go backwards (RFC 1035 §4.1.4, "a prior occurrence"), so this cannot loop.
  let floor = start
  for (;;) {
    if (at >= end) return undefined
    const size = packet[at] ?? 0
    if (size === 0) return next === -1 ? at + 1 : next
    if (size >= 0xc0) {
      if (at + 1 >= end) return undefined
      const target = ((size & 0x3f) << 8) | (packet[at + 1] ?? 0)
      if (target >= floor || target < headerBytes) return undefined
      if (next === -1) next = at + 2
      floor = target
      at = target
      continue
    }
    length += size + 1
    if (size > labelBytesMax || length > nameBytesMax || at + 1 + size > end) return undefined
    at += 1 + size
  }
}

function octetsOf(packet: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(packet[at] ?? 0)
  return text
}
