// Several proposals in one piece of memory, for the way to another thread or server: u32 count | count
// times u32 length | the proposals as JSON, in UTF-8. Numbers are big-endian.

const countBytes = 4
const lengthBytes = 4

/** Prints each proposal once, into memory of its own, which may be handed over to another thread. */
export function packTexts(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const { packed, from } = packedFor(lengths)
  let at = from
  for (const text of texts) at += packed.write(text, at)
  return packed
}

export function packProposals(proposals: readonly Uint8Array[]): Buffer {
  const { packed, from } = packedFor(proposals.map(({ length }) => length))
  let at = from
  for (const proposal of proposals) {
    packed.set(proposal, at)
    at += proposal.length
  }
  return packed
}

/** Views of `packed`; undefined when it is not a list of proposals. */
export function unpackProposals(packed: Uint8Array): readonly Buffer[] | undefined {
  const { buffer, byteOffset, length } = packed
  const bytes = Buffer.from(buffer, byteOffset, length)
  if (length < countBytes) return undefined
  const count = bytes.readUInt32BE(0)
  let at = countBytes + count * lengthBytes
  if (at > length) return undefined
  const proposals: Buffer[] = []
  for (let n = 0; n < count; n++) {
    const end = at + bytes.readUInt32BE(countBytes + n * lengthBytes)
    if (end > length) return undefined
    proposals.push(bytes.subarray(at, end))
    at = end
  }
  return at === length ? proposals : undefined
}

/** Memory that is not of the pool, because memory that is handed over must not be shared. */
function packedFor(lengths: readonly number[]) {
  const from = countBytes + lengths.length * lengthBytes
  const packed = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + length, from))
  packed.writeUInt32BE(lengths.length)
  for (const [at, length] of lengths.entries()) {
    packed.writeUInt32BE(length, countBytes + at * lengthBytes)
  }
  return { packed, from }
}
