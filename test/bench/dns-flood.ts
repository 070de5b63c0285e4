import { readFileSync } from 'node:fs'
import { must } from '../../src/base/assert.ts'
import { AnswerBlock } from '../../src/net/udp/answer-block.ts'
import { inet, loadLibc } from '../../src/process/libc.ts'
import {
  MessageBlock,
  controlBytes,
  messagesMax,
  nameBytes,
} from '../../src/net/udp/message-block.ts'
import { openUdpSocket } from '../../src/net/udp/socket.ts'
import { buildQuery } from '../dns/fixture.ts'

// A load that asks more cheaply than a server answers: many packets a system call, both ways. dnsperf
// needs a call for each and its core is full before a fast server's is. A program of its own, to run
// on a core of its own: dns-flood.ts PORT SECONDS QUESTIONS-FILE prints what dnsperf.ts returns.

const clients = 8
const outstanding = messagesMax
/** Fewer are not worth a call. */
const askedMin = 8
const silenceMs = 100

const loaded = loadLibc()
if (loaded instanceof Error) throw loaded
const libc = loaded
const [port = 0, seconds = 0] = process.argv.slice(2, 4).map(Number)
const packets = readFileSync(must(process.argv[4]), 'utf8')
  .trim()
  .split('\n')
  .map((line, id) => {
    const [name = '', type = ''] = line.split(' ')
    return buildQuery(name, type, { id: id & 0xffff })
  })

const answers = new MessageBlock(libc)
// Questions are sent as a server sends answers: to whom a message came from.
const server = new MessageBlock(libc)
for (let n = 0; n < messagesMax; n++) {
  const bytes = Buffer.alloc(nameBytes + controlBytes)
  bytes.writeUInt16LE(inet.AF_INET)
  bytes.writeUInt16BE(port, 2)
  bytes.set([127, 0, 0, 1], 4)
  server.restore(n, { bytes, nameLength: 16, controlLength: 0 })
}
const questions = new AnswerBlock(libc, server)
let next = 0
let completed = 0
let lost = 0
let failed = 0

class Client {
  readonly socket = openUdpSocket(libc, { address: '127.0.0.1', port: 0, isShared: false })
  open = 0

  /** Takes the answers that have come; returns how many. */
  receive(): number {
    const { fd } = this.socket
    const count = libc.recvmmsg(fd, answers.headers, messagesMax, inet.MSG_DONTWAIT, null)
    if (count <= 0) return 0
    for (let n = 0; n < count; n++) if (((answers.packet(n)[3] ?? 0) & 0x0f) !== 0) failed++
    answers.reset(count)
    completed += count
    this.open -= count
    return count
  }

  ask(): void {
    const count = outstanding - this.open
    if (count < askedMin) return
    for (let n = 0; n < count; n++) {
      const packet = packets[next++ % packets.length] ?? Buffer.alloc(0)
      questions.bytes.set(packet, questions.answerAt)
      questions.add(n, packet.length)
    }
    const messages = questions.gather(this.socket.canSegment)
    const sent = libc.sendmmsg(this.socket.fd, questions.header(0), messages, inet.MSG_DONTWAIT)
    for (let at = 0; at < sent; at++) this.open += questions.sizeOf(at)
    questions.clear()
  }
}

const all = Array.from({ length: clients }, () => new Client())
const fds = Buffer.from(new ArrayBuffer(clients * 8))
for (const [at, { socket }] of all.entries()) {
  fds.writeInt32LE(socket.fd, at * 8)
  fds.writeInt16LE(inet.POLLIN, at * 8 + 4)
}
const beganMs = performance.now()
let nowMs = beganMs
while (nowMs < beganMs + seconds * 1000) {
  let received = 0
  for (const client of all) {
    received += client.receive()
    client.ask()
  }
  if (received === 0 && libc.poll(fds, clients, silenceMs) === 0) {
    for (const client of all) {
      lost += client.open
      client.open = 0
    }
  }
  nowMs = performance.now()
}
const perSecond = completed / ((nowMs - beganMs) / 1000)
process.stdout.write(`${JSON.stringify({ completed, lost, failed, perSecond })}\n`)
