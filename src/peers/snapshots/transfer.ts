import { crc32 } from 'node:zlib'
import { decodeMessage, encodeMessage } from '../codec.ts'
import { ByteReader, ByteWriter, lengthAndText } from '../bytes.ts'
import { buildFrame, frameHeaderBytes, frameTypes } from '../frame.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { SnapshotRequest } from '../../raft/message.ts'
import type { SnapshotMeta } from '../../raft/storage.ts'

/** The file behind a snapshot: its size in bytes, and its SHA-256 in hexadecimal. */
export interface SnapshotFile {
  readonly size: number
  readonly sha256: string
}

/** A finished snapshot, open to be sent. */
export interface SnapshotSource extends SnapshotFile {
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

/** Where a snapshot is received. Of `finish` and `abort`, one is called, once. */
export interface SnapshotSink {
  /** Chunks come in order, without a gap, one at a time. */
  write(offset: number, chunk: Buffer): Promise<void>
  /**
   * All is there, and has the announced SHA-256: makes it durable and puts it in place. Cleans up by
   * itself when it rejects.
   */
  finish(): Promise<void>
  abort(): Promise<void>
}

export interface SnapshotFiles {
  open(meta: SnapshotMeta): Promise<SnapshotSource>
  /** Rejects when this server cannot take it now. */
  receive(
    from: { readonly id: NodeId; readonly name: string; readonly address: string },
    meta: SnapshotMeta,
    file: SnapshotFile,
  ): Promise<SnapshotSink>
}

/*
 * The stream: offer →, ← ack 0, chunks → with ← acks of all that was written, ← done. Either side ends it
 * with a `done` that says why.
 */
export interface SnapshotOffer extends SnapshotFile {
  readonly request: SnapshotRequest
}

const sha256Bytes = 32
const offerHeadBytes = 8 + sha256Bytes + 1

export function encodeOffer(offer: SnapshotOffer, version: number): Buffer {
  const message = encodeMessage(offer.request, version)
  const head = new ByteWriter(offerHeadBytes)
  head.u64(offer.size)
  head.bytes(Buffer.from(offer.sha256, 'hex'))
  head.u8(message.readUInt8(4))
  return buildFrame(frameTypes.snapshotOffer, version, [
    head.buffer,
    message.subarray(frameHeaderBytes),
  ])
}

export function decodeOffer(
  body: Buffer,
  envelope: { readonly from: NodeId; readonly to: NodeId },
): SnapshotOffer | undefined {
  const reader = new ByteReader(body)
  const size = reader.u64()
  const sha256 = reader.bytes(sha256Bytes).toString('hex')
  const type = reader.u8()
  if (reader.isBad) return undefined
  const request = decodeMessage(type, reader.rest(), envelope)
  return request?.type === 'snapshot-request' ? { size, sha256, request } : undefined
}

export function encodeAck(offset: number, version: number): Buffer {
  const writer = new ByteWriter(8)
  writer.u64(offset)
  return buildFrame(frameTypes.snapshotAck, version, [writer.buffer])
}

export function decodeAck(body: Buffer): number | undefined {
  const reader = new ByteReader(body)
  const offset = reader.u64()
  return reader.isDone ? offset : undefined
}

export function encodeChunk(offset: number, data: Buffer, version: number): Buffer {
  const writer = new ByteWriter(12)
  writer.u64(offset)
  writer.u32(crc32(data))
  return buildFrame(frameTypes.snapshotChunk, version, [writer.buffer, data])
}

/** `data` is a view of `body`. */
export function decodeChunk(body: Buffer): { offset: number; data: Buffer } | undefined {
  const reader = new ByteReader(body)
  const offset = reader.u64()
  const crc = reader.u32()
  const data = reader.rest()
  if (reader.isBad || data.length === 0 || crc32(data) !== crc) return undefined
  return { offset, data }
}

/** `fault`: why it failed; undefined when the snapshot is in place. */
export function encodeDone(fault: string | undefined, version: number): Buffer {
  const text = lengthAndText(fault ?? '', 2)
  return buildFrame(frameTypes.snapshotDone, version, [
    Buffer.from([fault === undefined ? 1 : 0]),
    text,
  ])
}

export function decodeDone(body: Buffer): { ok: boolean; fault: string } | undefined {
  const reader = new ByteReader(body)
  const done = { ok: reader.bool(), fault: reader.text(2) }
  return reader.isDone ? done : undefined
}
