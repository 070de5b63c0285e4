import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '../../src/base/assert.ts'
import { ask } from '../../src/net/dns-client.ts'
import type { DnsServerAddress } from '../../src/net/dns-client.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { onCpu } from './dnsperf.ts'
import { freePort, startConsul, versionOf } from './peers.ts'

/** Servers run on one core, the load on the other. With one core there is nothing to part. */
export const [serverCpu, loadCpu] = availableParallelism() > 1 ? [0, 1] : [undefined, undefined]

/** A server under test. */
export interface NameServer {
  readonly name: string
  readonly dnsPort: number
  /** Of svcd and Consul. */
  readonly httpPort: number
  /** Its processes now. */
  readonly pids: () => readonly number[]
  readonly stop: () => Promise<unknown>
}

export async function startSvcd(
  path: 'mmsg' | 'dgram',
  name: string,
  more: readonly string[] = [],
): Promise<NameServer> {
  const agent = await AgentProcess.start({
    args: ['-dev', '-log-level=warn', `-dns-udp=${path}`, '-dns-threads=1', ...more],
    wrapper: onCpu(serverCpu, []),
  })
  const { httpPort, dnsPort } = agent
  const pid = must(agent.child.pid, 'the agent runs')
  return { name, httpPort, dnsPort, pids: () => [pid], stop: () => agent.stop() }
}

/** Undefined: it is not on PATH. */
export async function startConsulServer(): Promise<NameServer | undefined> {
  if (versionOf('consul') === undefined) return undefined
  const consul = await startConsul(onCpu(serverCpu, []))
  const { child, httpPort, dnsPort } = consul
  const pid = must(child.pid, 'Consul runs')
  return { name: 'Consul', httpPort, dnsPort, pids: () => [pid], stop: () => consul.stop() }
}

/**
 * Undefined: it is not on PATH. `zone` is the text of a zone file for `domain`, `module` more of the
 * configuration.
 */
export async function startKnot(
  zone: string,
  domain = 'consul',
  cpu = serverCpu,
  module = '',
  address = '127.0.0.1',
): Promise<NameServer | undefined> {
  if (versionOf('knotd', '--version') === undefined) return undefined
  const prepare = (directory: string, port: number): readonly string[] => {
    const file = join(directory, 'knot.conf')
    writeFileSync(file, knotConfig(directory, `${address}@${port}`, domain) + module)
    return ['knotd', '-c', file]
  }
  return startWithZone('Knot', zone, prepare, { domain, cpu, address })
}

/** A resolver that forwards `domain` to a port of this machine. Undefined: it is not on PATH. */
export async function startUnboundForwarder(
  domain: string,
  forwardPort: number,
): Promise<NameServer | undefined> {
  if (versionOf('unbound', '-V') === undefined) return undefined
  const prepare = (directory: string, port: number): readonly string[] => {
    const file = join(directory, 'unbound.conf')
    writeFileSync(file, forwarderConfig(directory, port, domain, forwardPort))
    return ['unbound', '-d', '-c', file]
  }
  return startWithZone('unbound', '', prepare, { domain })
}

/** Undefined: it is not on PATH. */
export async function startNsd(zone: string): Promise<NameServer | undefined> {
  if (versionOf('nsd') === undefined) return undefined
  return startWithZone('NSD', zone, (directory, port) => {
    const file = join(directory, 'nsd.conf')
    writeFileSync(file, nsdConfig(directory, port))
    return ['nsd', '-d', '-c', file]
  })
}

/** The ports and the files of DNS over TLS and HTTPS. */
export interface EncryptedPorts {
  readonly tls: number
  readonly https: number
  readonly cert: string
  readonly key: string
}

/** Undefined: it is not on PATH. */
export async function startUnbound(
  zone: string,
  encrypted: EncryptedPorts,
): Promise<NameServer | undefined> {
  if (versionOf('unbound', '-V') === undefined) return undefined
  return startWithZone('Unbound', zone, (directory, port) => {
    const file = join(directory, 'unbound.conf')
    writeFileSync(file, unboundConfig(directory, port, encrypted))
    return ['unbound', '-d', '-c', file]
  })
}

interface ZoneServerOptions {
  readonly domain?: string
  readonly cpu?: number | undefined
  readonly address?: string
}

async function startWithZone(
  name: string,
  zone: string,
  prepare: (directory: string, port: number) => readonly string[],
  { domain = 'consul', cpu = serverCpu, address = '127.0.0.1' }: ZoneServerOptions = {},
): Promise<NameServer> {
  const directory = mkdtempSync(join(tmpdir(), `svcd-bench-${name}-`))
  writeFileSync(join(directory, 'consul.zone'), zone)
  const port = await freePort()
  const [program = '', ...words] = onCpu(cpu, prepare(directory, port))
  const child = spawn(program, words, { stdio: 'ignore' })
  const pid = must(child.pid, `${name} runs`)
  const exited = once(child, 'exit')
  await answering(name, { address, port }, domain)
  return {
    name,
    httpPort: 0,
    dnsPort: port,
    pids: () => [pid, ...descendantsOf(pid)],
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function answering(name: string, server: DnsServerAddress, domain: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (performance.now() < deadlineMs) {
    const reply = await ask(server, domain, 'SOA', { attempts: 1 }).catch(() => undefined)
    if (reply?.rcode === 'NOERROR') return
    await sleep(100)
  }
  throw new Error(`${name} did not answer within 10 s`)
}

function descendantsOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  const children = text.split(' ').filter((word) => word.trim() !== '')
  return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)])
}

/** One thread, nothing on disk, else as it comes. */
function knotConfig(directory: string, listen: string, domain: string): string {
  return `
server:
  rundir: ${directory}
  listen: ${listen}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${directory}
zone:
  - domain: ${domain}
    file: ${join(directory, 'consul.zone')}
    journal-content: none
    zonefile-sync: -1
`
}

/** One thread, no validation, no protection against a forwarder on loopback. */
function forwarderConfig(
  directory: string,
  port: number,
  domain: string,
  forwardPort: number,
): string {
  return `
server:
  directory: "${directory}"
  chroot: ""
  username: ""
  pidfile: "${join(directory, 'pid')}"
  use-syslog: no
  interface: 127.0.0.1@${port}
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  domain-insecure: "${domain}"
  local-zone: "test." nodefault
  outgoing-range: 4096
  num-queries-per-thread: 4096
forward-zone:
  name: "${domain}"
  forward-addr: 127.0.0.1@${forwardPort}
remote-control:
  control-enable: no
`
}

/** The rate limit that it has unless told otherwise would answer every other question. */
function nsdConfig(directory: string, port: number): string {
  return `
server:
  server-count: 1
  ip-address: 127.0.0.1@${port}
  username: ""
  database: ""
  zonesdir: ${directory}
  pidfile: ${join(directory, 'pid')}
  xfrdfile: ${join(directory, 'xfrd.state')}
  zonelistfile: ${join(directory, 'zone.list')}
  minimal-responses: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: consul
  zonefile: consul.zone
`
}

function unboundConfig(
  directory: string,
  port: number,
  { tls, https, cert, key }: EncryptedPorts,
): string {
  return `
server:
  interface: 127.0.0.1@${port}
  interface: 127.0.0.1@${tls}
  interface: 127.0.0.1@${https}
  tls-port: ${tls}
  https-port: ${https}
  tls-service-pem: ${cert}
  tls-service-key: ${key}
  num-threads: 1
  incoming-num-tcp: 200
  username: ""
  chroot: ""
  directory: ${directory}
  pidfile: ${join(directory, 'pid')}
  use-syslog: no
  logfile: ${join(directory, 'log')}
auth-zone:
  name: consul
  zonefile: consul.zone
  for-downstream: yes
  for-upstream: no
`
}
