import { crc32 } from 'node:zlib'
import { assert } from '../base/assert.ts'
import { decodeConfig, emptyConfig, encodeConfig } from '../raft/config.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { frameHeaderBytes, writeFrameHeader } from './frame.ts'
import type { AppendRequest, Message } from '../raft/message.ts'
import type { Entry, EntryKind, NodeId } from '../raft/entry.ts'
import type { SnapshotMeta } from '../raft/storage.ts'

/** The numbers on the wire, in frames and entries. A number is never used again for another thing. */
const messageTypes = {
  'pre-vote-request': 32,
  'pre-vote-response': 33,
  'vote-request': 34,
  'vote-response': 35,
  'append-request': 36,
  'append-response': 37,
  heartbeat: 38,
  'heartbeat-response': 39,
  'snapshot-request': 40,
  'timeout-now': 41,
  'read-request': 42,
  'read-response': 43,
} as const satisfies Record<Message['type'], number>

type MessageType = Message['type']

const typeNames = new Map<number, MessageType>(
  Object.entries(messageTypes).map(([name, number]) => [number, name as MessageType]),
)

const entryKinds: readonly EntryKind[] = ['command', 'noop', 'config']
const kindNumbers = { command: 0, noop: 1, config: 2 } as const satisfies Record<EntryKind, number>

/** CRC-32 and term, which open the body of every Raft message. */
const prefixBytes = 12
/** Term, kind and length of an entry; its index follows from its place. */
const entryHeaderBytes = 13

export function isRaftFrame(type: number): boolean {
  return typeNames.has(type)
}

/**
 * The whole frame of one message. `from` and `to` are not in it: the handshake has settled them, so
 * no server can speak for another. A CRC covers the body, because TCP's own checksum misses one
 * damaged segment in 65,536, and a damaged term or entry would stay permanently.
 */
export function encodeMessage(message: Message, version: number): Buffer {
  const writer = new ByteWriter(frameHeaderBytes + prefixBytes + fieldBytes(message))
  const { buffer } = writer
  const type = messageTypes[message.type]
  writeFrameHeader(buffer, type, version)
  writer.skip(frameHeaderBytes + 4)
  writer.u64(message.term)
  writeFields(writer, message)
  assert(writer.at === buffer.length, `the size of a ${message.type} was known`)
  buffer.writeUInt32BE(crc32(buffer.subarray(frameHeaderBytes + 4), type), frameHeaderBytes)
  return buffer
}

/**
 * Returns undefined for bytes that are not a message, are damaged, or have the wrong length. The
 * entries' data are views of `body`. The core judges whether the values make sense.
 */
export function decodeMessage(
  type: number,
  body: Buffer,
  envelope: { readonly from: NodeId; readonly to: NodeId },
): Message | undefined {
  const name = typeNames.get(type)
  if (name === undefined || body.length < prefixBytes) return undefined
  if (body.readUInt32BE(0) !== crc32(body.subarray(4), type)) return undefined
  const reader = new ByteReader(body, 4)
  const { from, to } = envelope
  const message = readFields(reader, name, from, to, reader.u64())
  return reader.isDone ? message : undefined
}

/** What the fields behind the term take. */
function fieldBytes(message: Message): number {
  switch (message.type) {
    case 'timeout-now':
      return 0
    case 'pre-vote-response':
    case 'vote-response':
      return 1
    case 'heartbeat-response':
    case 'read-request':
      return 8
    case 'pre-vote-request':
    case 'heartbeat':
    case 'read-response':
      return 16
    case 'vote-request':
      return 17
    case 'append-response':
      return 25
    case 'append-request': {
      let size = 28
      for (const entry of message.entries) size += entryHeaderBytes + entry.data.length
      return size
    }
    case 'snapshot-request':
      return 24 + encodeConfig(message.snapshot.config).length
  }
}

function writeFields(writer: ByteWriter, message: Message): void {
  switch (message.type) {
    case 'timeout-now':
      return
    case 'pre-vote-response':
    case 'vote-response':
      return writer.bool(message.granted)
    case 'heartbeat-response':
      return writer.u64(message.readToken)
    case 'read-request':
      return writer.u64(message.id)
    case 'pre-vote-request':
    case 'vote-request':
      writer.u64(message.lastIndex)
      writer.u64(message.lastTerm)
      if (message.type === 'vote-request') writer.bool(message.transfer)
      return
    case 'heartbeat':
      writer.u64(message.commit)
      return writer.u64(message.readToken)
    case 'read-response':
      writer.u64(message.id)
      return writer.u64(message.index)
    case 'append-response':
      writer.u64(message.index)
      writer.bool(message.rejected)
      writer.u64(message.hintIndex)
      return writer.u64(message.hintTerm)
    case 'append-request':
      return writeAppend(writer, message)
    case 'snapshot-request':
      writer.u64(message.snapshot.index)
      writer.u64(message.snapshot.term)
      writer.u64(message.snapshot.confIndex)
      return writer.bytes(encodeConfig(message.snapshot.config))
  }
}

function writeAppend(writer: ByteWriter, message: AppendRequest): void {
  writer.u64(message.prevIndex)
  writer.u64(message.prevTerm)
  writer.u64(message.commit)
  writer.u32(message.entries.length)
  let index = message.prevIndex
  for (const entry of message.entries) {
    assert(entry.index === ++index, `entry ${entry.index} is sent in its place (${index})`)
    writer.u64(entry.term)
    writer.u8(kindNumbers[entry.kind])
    writer.u32(entry.data.length)
    writer.bytes(entry.data)
  }
}

function readFields(
  reader: ByteReader,
  type: MessageType,
  from: NodeId,
  to: NodeId,
  term: number,
): Message {
  switch (type) {
    case 'timeout-now':
      return { type, from, to, term }
    case 'pre-vote-response':
    case 'vote-response':
      return { type, from, to, term, granted: reader.bool() }
    case 'heartbeat-response':
      return { type, from, to, term, readToken: reader.u64() }
    case 'read-request':
      return { type, from, to, term, id: reader.u64() }
    case 'pre-vote-request':
      return { type, from, to, term, lastIndex: reader.u64(), lastTerm: reader.u64() }
    case 'vote-request': {
      const last = { lastIndex: reader.u64(), lastTerm: reader.u64() }
      return { type, from, to, term, ...last, transfer: reader.bool() }
    }
    case 'heartbeat':
      return { type, from, to, term, commit: reader.u64(), readToken: reader.u64() }
    case 'read-response':
      return { type, from, to, term, id: reader.u64(), index: reader.u64() }
    case 'append-response': {
      const answer = { index: reader.u64(), rejected: reader.bool() }
      return { type, from, to, term, ...answer, hintIndex: reader.u64(), hintTerm: reader.u64() }
    }
    case 'append-request':
      return { type, from, to, term, ...readAppend(reader) }
    case 'snapshot-request':
      return { type, from, to, term, snapshot: readSnapshot(reader) }
  }
}

function readAppend(
  reader: ByteReader,
): Pick<AppendRequest, 'prevIndex' | 'prevTerm' | 'commit' | 'entries'> {
  const prevIndex = reader.u64()
  const prevTerm = reader.u64()
  const commit = reader.u64()
  const count = reader.u32()
  const entries: Entry[] = []
  // The list grows with what is read, never with what was announced.
  for (let n = 1; n <= count && !reader.isBad; n++) {
    const term = reader.u64()
    const kind = entryKinds[reader.u8()]
    const data = reader.bytes(reader.u32())
    if (kind === undefined) reader.fail()
    else entries.push({ index: prevIndex + n, term, kind, data })
  }
  return { prevIndex, prevTerm, commit, entries }
}

function readSnapshot(reader: ByteReader): SnapshotMeta {
  const index = reader.u64()
  const term = reader.u64()
  const confIndex = reader.u64()
  const config = decodeConfig(reader.rest())
  if (config !== undefined) return { index, term, config, confIndex }
  reader.fail()
  return { index, term, confIndex, config: emptyConfig }
}
