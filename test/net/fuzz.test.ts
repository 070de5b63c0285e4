import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { residentMb } from '../bench/peers.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { writeCredentials } from '../helpers/certificates.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { changedPackets, isDecodable } from './changed-packets.ts'
import { ca, certificate } from './encrypted.ts'
import { senders } from './packet-senders.ts'

// Packets that are changed at random, over UDP, TCP, TLS and HTTPS to an agent that also forwards outside names:
// no crash, memory does not grow, and all that comes back is DNS.

const packets = Number(process.env['SVCD_DNS_PACKETS'] ?? 200_000)
const seed = Number(process.env['SVCD_DNS_SEED'] ?? 1)
/** How many of the packets go over each transport: those cost most that need most of Node's client. */
const shares = { udp: 0.75, tcp: 0.14, tls: 0.06, https: 0.05 } as const
/** What an agent may take in the second half of a load, when all that it keeps is there. */
const grownMbMax = 40

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

t.test(`an agent answers ${packets} changed packets, seed ${seed}`, async (t) => {
  const { agent, ports } = await startAgent(t)
  const pid = must(agent.child.pid)
  let ofSeed = seed
  for (const kind of ['udp', 'tcp', 'tls', 'https'] as const) {
    await t.test(kind, async (t) => {
      let answers = 0
      const undecodable: string[] = []
      const onAnswer = (answer: Buffer): void => {
        answers++
        if (!isDecodable(answer)) undecodable.push(answer.toString('hex'))
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
})
