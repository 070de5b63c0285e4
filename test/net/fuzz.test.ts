import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { formatName, readName } from '../../src/dns/name.ts'
import { recordType } from '../../src/dns/record.ts'
import { residentMb } from '../bench/peers.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { writeCredentials } from '../helpers/certificates.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { missing } from '../helpers/tools.ts'
import { changedPackets, isDecodable } from './changed-packets.ts'
import { ca, certificate } from './encrypted.ts'
import { senders } from './packet-senders.ts'

// Packets that are changed at random, over UDP, TCP, TLS and HTTPS to an agent that also forwards outside names:
// no crash, memory does not grow, and all that comes back is DNS.

const run = promisify(execFile)
const packets = Number(process.env['SVCD_DNS_PACKETS'] ?? 200_000)
const seed = Number(process.env['SVCD_DNS_SEED'] ?? 1)
/** How many of the packets go over each transport: those cost most that need most of Node's client. */
const shares = { udp: 0.75, tcp: 0.14, tls: 0.06, https: 0.05 } as const
/** What an agent may take in the second half of a load, when all that it keeps is there. */
const grownMbMax = 40
/** Of each transport, for dig. */
const sampleSize = 15

/** An upstream server that knows no name. */
async function startUpstream(t: Test): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    query[2] = (query[2] ?? 0) | 0x80
    query[3] = 0x83
    socket.send(query, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return `127.0.0.1:${socket.address().port}`
}

async function startAgent(t: Test) {
  const files = writeCredentials(t.testdir(), 'server', certificate)
  const [tls = 0, https = 0] = await freePorts(2)
  const agent = await AgentProcess.start({
    args: [
      '-dev',
      '-log-level=warn',
      `-recursor=${await startUpstream(t)}`,
      `-dns-tls-port=${tls}`,
      `-dns-https-port=${https}`,
      `-dns-cert-file=${files.cert}`,
      `-dns-key-file=${files.key}`,
    ],
  })
  t.teardown(() => agent.stop())
  for (const n of [1, 2]) {
    const service = { Name: 'web', ID: `web-${n}`, Address: `10.9.0.${n}`, Port: 8080 }
    await agent.put('agent/service/register', service)
  }
  return { agent, ports: { udp: agent.dnsPort, tcp: agent.dnsPort, tls, https } }
}

/** A metric of the agent, by transport and thread. */
async function samplesOf(agent: AgentProcess, name: string): Promise<readonly number[]> {
  const answer = await fetch(`${agent.httpUrl}/v1/agent/metrics?format=prometheus`)
  const lines = (await answer.text()).matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'gm'))
  return [...lines].map(([, value]) => Number(value))
}

/** Has dig read answers: it asks for what they answer, and gets them from a server that has nothing else. */
async function digReads(t: Test, answers: readonly Buffer[]): Promise<string> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let at = 0
  socket.on('message', (query, { port, address }) => {
    const answer = Buffer.from(must(answers[at++]))
    query.copy(answer, 0, 0, 2)
    socket.send(answer, port, address)
  })
  const fixed = `@127.0.0.1 -p ${socket.address().port} +notcp +ignore +noedns +tries=1 +time=5`
  const lines = answers.map((answer) => {
    const question = must(readName(answer, 12, answer.length))
    const [type, group] = [
      answer.readUInt16BE(question.next),
      answer.readUInt16BE(question.next + 2),
    ]
    return `${fixed} -q ${formatName(question.name)} -t TYPE${type} -cCLASS${group}\n`
  })
  const directory = t.testdir({ questions: lines.join('') })
  return (await run('dig', ['-f', `${directory}/questions`], { maxBuffer: 2 ** 25 })).stdout
}

/**
 * Dig has other ways for zone transfers and ANY, its files have no room for very long names, and no other opcode
 * fits its query.
 */
function isForDig(answer: Buffer): boolean {
  if (((answer[2] ?? 0) & 0x78) !== 0 || answer.readUInt16BE(4) !== 1) return false
  const { name, next } = must(readName(answer, 12, answer.length))
  return answer.readUInt16BE(next) < recordType.IXFR && formatName(name).length < 500
}

t.test(`an agent answers ${packets} changed packets, seed ${seed}`, async (t) => {
  const { agent, ports } = await startAgent(t)
  const sample: Buffer[] = []
  const pid = must(agent.child.pid)
  let ofSeed = seed
  for (const kind of ['udp', 'tcp', 'tls', 'https'] as const) {
    await t.test(kind, async (t) => {
      let answers = 0
      const samplesBefore = sample.length
      const undecodable: string[] = []
      const onAnswer = (answer: Buffer): void => {
        answers++
        if (!isDecodable(answer)) undecodable.push(answer.toString('hex'))
        // One of many, so that all kinds are among them.
        else if (answers % 37 === 0 && sample.length < samplesBefore + sampleSize) {
          if (isForDig(answer)) sample.push(Buffer.from(answer))
        }
      }
      const half = Math.ceil((packets * shares[kind]) / 2)
      const residents: number[] = []
      let answerable = 0
      for (let turn = 0; turn < 2; turn++) {
        const traffic = { next: changedPackets(ofSeed++), packets: half, onAnswer }
        answerable += await senders[kind]({ port: ports[kind], ca: ca.cert }, traffic)
        residents.push(residentMb(pid))
      }
      t.strictSame(undecodable.slice(0, 10), [], 'each answer can be decoded')
      // Over UDP the agent may drop what it cannot answer in time.
      const least = kind === 'udp' ? answerable * 0.98 : answerable
      t.ok(answers >= least && answers <= answerable, `${answers} answers to ${answerable}`)
      const grownMb = must(residents[1]) - must(residents[0])
      t.ok(grownMb < grownMbMax, `grown by ${grownMb.toFixed(1)} MB`)
    })
  }
  t.strictSame(
    (await samplesOf(agent, 'svcd_dns_failures_total')).filter((count) => count > 0),
    [],
    'nothing threw',
  )
  t.notMatch(agent.output, /restarting|failed/, 'no thread ended')
  t.equal(agent.child.exitCode, null, 'it runs')
  await t.test('dig reads them, too', { skip: missing('dig') }, async (t) => {
    const printed = await digReads(t, sample)
    t.ok(sample.length > 2 * sampleSize, `${sample.length} answers`)
    t.equal(printed.match(/->>HEADER<<-/g)?.length, sample.length)
    // The answers have the cookies of other queries than dig's.
    t.notMatch(printed, /malformed|bad packet|(?<!client cookie )mismatch|timed out/i)
  })
})
