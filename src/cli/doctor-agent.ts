import { stat, statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Member, Self } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { reasonOf } from '../base/errors.ts'
import { ask } from '../net/dns-client.ts'
import { hostPort } from './endpoint.ts'
import { statusOf } from './members.ts'
import type { Finding } from './resolver-findings.ts'

// What a running agent reports, and what this machine can see of it.

const connectMs = 1000
/** The Date header of HTTP has only whole seconds. */
const skewMsMax = 2500

type Found = Promise<readonly Finding[]>

export async function lookAtCluster(client: Client): Found {
  const [leader, members] = await Promise.all([client.leader(), client.members()])
  const alive = members.filter((member) => statusOf(member) === 'alive')
  const findings = [leaderFinding(leader, members, alive)]
  for (const member of members) {
    const status = statusOf(member)
    if (status === 'alive') continue
    findings.push({
      about: 'servers',
      level: 'warning',
      text: `The status of server ${member.Name} is ${status === 'none' ? 'not known yet' : status}`,
      next: 'Restart it. If it will not return, remove it with svcd force-leave or svcd operator raft remove-peer.',
    })
  }
  if (members.length === 2) {
    const text =
      'A cluster of two servers does not tolerate a failure: one server alone is not a majority'
    findings.push({ about: 'servers', level: 'warning', text, next: 'Add a third server.' })
  }
  return [...findings, ...(await lookAtPorts(members))]
}

function leaderFinding(
  leader: string,
  members: readonly Member[],
  alive: readonly Member[],
): Finding {
  const about = 'leader'
  const leads = members.find(({ Addr, Port }) => hostPort({ address: Addr, port: Port }) === leader)
  if (leader !== '') {
    const count = `${alive.length} of ${members.length} servers alive`
    return { about, level: 'ok', text: `${leads?.Name ?? leader} is the leader, ${count}` }
  }
  const text =
    "There is no leader: more than half of the cluster's servers must run and reach each other"
  const next =
    'Start the missing servers, and make sure that they can reach each other. The log of the agent names those that it cannot reach. If more than half are lost permanently, use svcd operator raft recover.'
  return { about, level: 'problem', text, next }
}

async function lookAtPorts(members: readonly Member[]): Found {
  const places = members.map(({ Name, Addr, Port }) => ({ name: Name, address: Addr, port: Port }))
  const open = await Promise.all(places.map((place) => accepts(place)))
  const closed = places.filter((_, at) => open[at] !== true)
  if (closed.length === 0) {
    const what =
      places.length === 1 ? 'The server port accepts' : `All ${places.length} server ports accept`
    const text = `${what} connections from this machine`
    return [{ about: 'ports', level: 'ok', text }]
  }
  return closed.map((place) => ({
    about: 'ports',
    level: 'warning',
    text: `${hostPort(place)}, the server port of ${place.name}, does not accept connections from this machine`,
    next: 'If this machine runs a server: start the other server, and open the port between them (TCP, 8300 by default).',
  }))
}

function accepts({ address, port }: { address: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const end = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.setTimeout(connectMs, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

export async function lookAtClock(client: Client): Found {
  const about = 'clock'
  const beforeMs = Date.now()
  const [agentMs, { Newest }] = await Promise.all([client.clockMs(), client.times([])])
  const afterMs = Date.now()
  const next = 'Synchronize the clocks with NTP: run timedatectl set-ntp true, or use chrony.'
  // Any time between the request and the response is right.
  const skewMs =
    agentMs === undefined ? 0 : Math.max(beforeMs - agentMs - 1000, agentMs - afterMs, 0)
  if (skewMs > skewMsMax) {
    const text = `The clocks of the agent's machine and of this machine differ by ${Math.round(skewMs / 1000)} s`
    return [{ about, level: 'warning', text, next }]
  }
  const aheadMs = Newest === '' ? 0 : Date.parse(Newest) - afterMs
  if (aheadMs > skewMsMax) {
    const text = `The newest entry of the log is dated ${Math.round(aheadMs / 1000)} s in the future: the clock of the server that was the leader then is ahead of this machine`
    return [{ about, level: 'warning', text, next }]
  }
  return [{ about, level: 'ok', text: 'The clocks of this machine, the agent and the log agree' }]
}

export interface DnsPlace {
  readonly address: string
  readonly port: number
}

/** The answer of svcd's DNS server for a name, over both transports. */
export async function lookAtDns(
  place: DnsPlace,
  name: string,
): Promise<{ readonly findings: readonly Finding[]; readonly addresses: readonly string[] }> {
  const about = 'dns'
  if (place.port <= 0) {
    const text =
      place.port === 0
        ? 'The agent uses a random DNS port (-dns-port 0)'
        : 'DNS is turned off on this agent (-dns-port -1)'
    const next = place.port === 0 ? 'Give its address with --dns-addr.' : undefined
    return { findings: [{ about, level: 'warning', text, next }], addresses: [] }
  }
  const where = hostPort(place)
  const over = async (tcp: boolean, type = 'A') =>
    ask(place, name, type, { tcp, timeoutMs: 1500, attempts: 1 }).then(
      (reply) => ({ reply, reason: '' }),
      (error: unknown) => ({ reply: undefined, reason: reasonOf(error) }),
    )
  const [udp, tcp, udp6] = await Promise.all([over(false), over(true), over(false, 'AAAA')])
  const addresses = [udp, udp6].flatMap(({ reply }) =>
    (reply?.answer ?? []).map(({ data }) => data),
  )
  const failed = [
    ...(udp.reply === undefined ? [`UDP (${udp.reason})`] : []),
    ...(tcp.reply === undefined ? [`TCP (${tcp.reason})`] : []),
  ]
  if (failed.length > 0) {
    const text = `${where} does not answer DNS over ${failed.join(' and ')}`
    const next =
      'If the agent runs on another machine, let it listen on that address with -client, and open its DNS port for UDP and TCP.'
    return { findings: [{ about, level: 'problem', text, next }], addresses }
  }
  const rcode = udp.reply?.rcode ?? ''
  if (addresses.length > 0) {
    const text = `${where} answers over UDP and TCP: ${name} resolves to ${addresses.join(', ')}`
    return { findings: [{ about, level: 'ok', text }], addresses }
  }
  const text = `${where} answers ${rcode} for ${name}`
  const next = 'The server has no catalog yet, or no server is healthy: run svcd status.'
  return { findings: [{ about, level: 'problem', text, next }], addresses }
}

/** The data directory, if it is on this machine, and its disk, as the agent measures it. */
export async function lookAtData(client: Client, { Config }: Self): Found {
  const about = 'data'
  const [{ Config: config }, metrics] = await Promise.all([client.debug(), client.metrics()])
  const { dataDir: path } = (config ?? {}) as { readonly dataDir?: string }
  if (/^svcd_disk_is_low(?:\{[^}]*\})? 1$/m.test(metrics)) {
    const text =
      'The disk of the data directory is nearly full, so this server refuses registrations and writes of keys'
    return [
      {
        about,
        level: 'problem',
        text,
        next: 'Free some space. -disk-reserve-mib sets how much must stay free.',
      },
    ]
  }
  const free = /^svcd_disk_free_bytes(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1]
  const space = free === undefined ? '' : `, ${Math.floor(Number(free) / 2 ** 20)} MiB free`
  if (path === undefined || !(await isHere(path))) {
    return [
      { about, level: 'ok', text: `The data directory of ${Config.NodeName} is in use${space}` },
    ]
  }
  const { mode } = await stat(path)
  const isOpen = (mode & 0o077) !== 0
  const { bavail, bsize } = await statfs(path)
  const left = space === '' ? `, ${Math.floor((bavail * bsize) / 2 ** 20)} MiB free` : space
  const ok: Finding = { about, level: 'ok', text: `${path} is in use${left}` }
  if (!isOpen) return [ok]
  const text = `Other users of this machine can read the data directory ${path}`
  return [ok, { about, level: 'warning', text, next: `Run: chmod 700 ${path}` }]
}

async function isHere(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
