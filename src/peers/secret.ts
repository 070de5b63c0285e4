import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ByteReader, ByteWriter, lengthAndText } from './bytes.ts'
import { buildFrame, frameTypes, greetingVersion } from './frame.ts'

/** The secret that only the servers of one cluster know (`-encrypt`). */
export interface PeerSecret {
  /** At least one. All are accepted, so that they can be replaced without a stop. */
  readonly keys: readonly Uint8Array[]
  /** False: servers without a secret are talked to as well, while it is being introduced. */
  readonly isRequired: boolean
}

/** What a greeting of a server with a secret carries behind its other fields. */
export interface Challenge {
  /** Drawn for this connection. */
  readonly nonce: Buffer
  readonly isRequired: boolean
}

/** What only those are told who have proven the secret. */
export interface ClusterMark {
  /** Undefined: in no cluster yet. */
  readonly clusterId: string | undefined
  readonly epoch: number
}

/** The frames behind the greetings, in this order; each has a label of its own, so none is another. */
export type ProofStep = 'dial' | 'accept' | 'confirm'

/** Both greetings, byte for byte as they were sent, nonces included. */
export interface Transcript {
  readonly dialled: Buffer
  readonly accepted: Buffer
}

export interface Proof {
  /** One for each key of the sender. */
  readonly tags: readonly Buffer[]
  /** Of 'accept' and 'confirm', as it was sent; empty in 'dial'. */
  readonly mark: Buffer
}

const nonceBytes = 32
const tagBytes = 32
/** Keys of one server. Two are needed to replace one by another. */
export const secretKeysMax = 4

export function newChallenge({ isRequired }: PeerSecret): Challenge {
  return { nonce: randomBytes(nonceBytes), isRequired }
}

/** Extensions of a greeting: u8 kind | u16 length | bytes. A kind is never used again. */
const challengeKind = 1
const challengeBytes = 1 + nonceBytes

export function encodeChallenge({ nonce, isRequired }: Challenge): Buffer {
  const writer = new ByteWriter(3 + challengeBytes)
  writer.u8(challengeKind)
  writer.u16(challengeBytes)
  writer.bool(isRequired)
  writer.bytes(nonce)
  return writer.buffer
}

/** Looks for a challenge behind a greeting; what a later release has put there is passed over. */
export function readChallenge(reader: ByteReader): Challenge | undefined {
  while (reader.remaining > 0) {
    const kind = reader.u8()
    const bytes = reader.bytes(reader.u16())
    if (reader.isBad) return undefined
    if (kind !== challengeKind || bytes.length < challengeBytes) continue
    // Bits other than the lowest belong to a later release.
    const isRequired = (bytes.readUInt8(0) & 1) === 1
    return { nonce: bytes.subarray(1, challengeBytes), isRequired }
  }
  return undefined
}

export function encodeMark({ clusterId, epoch }: ClusterMark): Buffer {
  const number = new ByteWriter(8)
  number.u64(epoch)
  return Buffer.concat([number.buffer, lengthAndText(clusterId ?? '', 2)])
}

export function decodeMark(bytes: Buffer): ClusterMark | undefined {
  const reader = new ByteReader(bytes)
  const epoch = reader.u64()
  const clusterId = reader.text(2)
  if (reader.isBad) return undefined
  return { epoch, clusterId: clusterId === '' ? undefined : clusterId }
}

/** The frame that proves each of `keys`: u8 count | tags | mark. */
export function encodeProof(
  keys: readonly Uint8Array[],
  step: ProofStep,
  transcript: Transcript,
  mark: Buffer = Buffer.alloc(0),
): Buffer {
  const tags = keys.slice(0, secretKeysMax).map((key) => tagOf(key, step, transcript, mark))
  return buildFrame(frameTypes.proof, greetingVersion, [Buffer.from([tags.length]), ...tags, mark])
}

/** Undefined for bytes that are not a proof. */
export function decodeProof(body: Buffer): Proof | undefined {
  const reader = new ByteReader(body)
  const count = reader.u8()
  if (count === 0 || count > secretKeysMax) return undefined
  const tags = Array.from({ length: count }, () => reader.bytes(tagBytes))
  const mark = reader.rest()
  return reader.isBad ? undefined : { tags, mark }
}

/** Whether the sender of `proof` knows one of `keys`. */
export function isProven(
  keys: readonly Uint8Array[],
  step: ProofStep,
  transcript: Transcript,
  { tags, mark }: Proof,
): boolean {
  let isFound = false
  for (const key of keys) {
    const expected = tagOf(key, step, transcript, mark)
    // All are compared, each in constant time: how long it takes tells nothing.
    for (const tag of tags) if (timingSafeEqual(tag, expected)) isFound = true
  }
  return isFound
}

/** HMAC-SHA-256 (RFC 2104) of the step's label, both greetings, and the mark, each behind its length. */
function tagOf(
  key: Uint8Array,
  step: ProofStep,
  { dialled, accepted }: Transcript,
  mark: Buffer,
): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of [Buffer.from(`svcd peer proof 1 ${step}`), dialled, accepted, mark]) {
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(part.length)
    hmac.update(length).update(part)
  }
  return hmac.digest()
}
