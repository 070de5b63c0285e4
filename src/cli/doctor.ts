import type { Command } from 'commander'
import type { Self } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { certificateFindings } from './doctor-certificates.ts'
import { visible } from '../base/invisible.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { lookAtClock, lookAtCluster, lookAtData, lookAtDns, type DnsPlace } from './doctor-agent.ts'
import { upstreamFindings } from './doctor-upstreams.ts'
import { lookAtResolver, questionOf } from './doctor-resolver.ts'
import { dnsAddress, httpAddress } from './http-address.ts'
import type { Io } from './io.ts'
import { addClientOptions, addExamples, newCommand, type ClientOptions } from './new-command.ts'
import { addOutputOptions, print, type OutputOptions } from './output.ts'
import { paint, type Tone } from './paint.ts'
import type { Finding, Level } from './resolver-findings.ts'

interface DoctorOptions extends ClientOptions, OutputOptions {
  readonly resolvConf: string
  readonly domain?: string
  readonly dnsAddr?: string
}

export function doctorCommand(io: Io): Command {
  const command = newCommand(
    'doctor',
    'Find out why something does not work. svcd checks the agent, the leader, the ports, the clocks, the data ' +
      'directory, its DNS server, and whether programs on this machine resolve names of the registry. It shows what is ' +
      'wrong and how to fix it, and changes nothing. The exit code is 0 if there is no problem, 1 if there is a ' +
      'problem, and 2 if no agent answers. Warnings do not count as problems.',
    io,
  )
    .option(
      '--resolv-conf <path>',
      'The file with the nameservers of this machine.',
      '/etc/resolv.conf',
    )
    .option(
      '--dns-addr <address>',
      "The DNS server of svcd: ip:port. (default: the agent's host and DNS port, env: SVCD_DNS_ADDR)",
    )
    .option(
      '--domain <name>',
      "The domain of the registry. (default: the agent's domain, or consul)",
    )
    .action(async (options: DoctorOptions) => {
      const { findings, failure } = await examine(options, io)
      await print(io, options, {
        data: findings,
        names: findings.map(({ about }) => about),
        text: () => findings.map((finding) => findingText(io, finding)).join(''),
      })
      if (failure !== undefined) throw failure
      const count = findings.filter(({ level }) => level === 'problem').length
      if (count > 0)
        throw svcdError('doctor-found', { count: `${count} problem${count > 1 ? 's' : ''}` })
    })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd doctor', 'svcd doctor -http-addr 10.0.0.1:8500 -o json'])
}

interface Examined {
  readonly findings: readonly Finding[]
  /** Why no agent answered. */
  readonly failure: SvcdError | undefined
}

async function examine(options: DoctorOptions, io: Io): Promise<Examined> {
  const address = httpAddress(options.httpAddr, io.env)
  const client = await agentClient(options, io)
  const [self, failure] = await selfOf(client, address)
  const domain = options.domain ?? domainOf(self, io)
  const dns = dnsOf(options, io) ?? {
    address: hostOf(address),
    port: self?.DebugConfig.DNSPort ?? 8600,
  }
  const own = lookAtDns(dns, questionOf(domain))
  const resolver = async (): Promise<readonly Finding[]> => {
    const { addresses: expected } = await own
    return lookAtResolver({ path: options.resolvConf, domain, dns, expected })
  }
  const parts = [
    async () => [agentFinding(self, address, failure)],
    ...(self === undefined
      ? []
      : [
          () => lookAtCluster(client),
          () => lookAtClock(client),
          () => lookAtData(client, self),
          async () => certificateFindings(self, Date.now()),
          async () => (await own).findings,
          async () => upstreamFindings(await client.metrics()),
        ]),
    resolver,
  ]
  const findings = await Promise.all(parts.map((part) => orFinding(part)))
  return { findings: findings.flat(), failure }
}

/** Consul answers this request too, and most of the others: its agents have no version of svcd. */
async function selfOf(
  client: Client,
  address: string,
): Promise<readonly [self: Self | undefined, failure: SvcdError | undefined]> {
  try {
    const self = await client.self()
    const { SvcdVersion, Version } = self.Config
    if (SvcdVersion !== undefined) return [self, undefined]
    return [undefined, svcdError('not-an-agent', { address, reason: `it is Consul ${Version}` })]
  } catch (error) {
    if (error instanceof SvcdError) return [undefined, error]
    throw error
  }
}

/** An agent in trouble answers only some requests; each failure is a finding. */
async function orFinding(part: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await part()
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    return [{ about: 'agent', level: 'problem', text: error.message }]
  }
}

function agentFinding(
  self: Self | undefined,
  address: string,
  failure: SvcdError | undefined,
): Finding {
  const about = 'agent'
  if (self === undefined) return { about, level: 'problem', text: failure?.message ?? '' }
  const { SvcdVersion = '', NodeName, Datacenter } = self.Config
  const text = `svcd ${SvcdVersion} answers at ${address}: node ${NodeName}, datacenter ${Datacenter}`
  return { about, level: 'ok', text }
}

function domainOf(self: Self | undefined, io: Io): string {
  const known = self?.DebugConfig.DNSDomain ?? io.env['SVCD_DOMAIN'] ?? ''
  return known.replace(/\.$/, '') || 'consul'
}

function dnsOf({ dnsAddr }: DoctorOptions, io: Io): DnsPlace | undefined {
  const isNamed = (dnsAddr ?? io.env['SVCD_DNS_ADDR'] ?? '') !== ''
  return isNamed ? dnsAddress(dnsAddr, io.env) : undefined
}

function hostOf(address: string): string {
  return new URL(address).hostname.replaceAll(/^\[|\]$/g, '')
}

const toneOf: Readonly<Record<Level, Tone>> = { ok: 'good', warning: 'warning', problem: 'bad' }
const levelWidth = 'problem'.length + 2
const aboutWidth = 'resolver'.length + 2

function findingText(io: Io, { about, level, text, next }: Finding): string {
  const margin = ' '.repeat(levelWidth + aboutWidth)
  const head = paint(level, toneOf[level], io.terminal) + ' '.repeat(levelWidth - level.length)
  const sentence = /[.!?]$/.test(text) ? text : `${text}.`
  const advice = next === undefined ? '' : `${margin}→ ${visible(next)}\n`
  return `${head}${about.padEnd(aboutWidth)}${visible(sentence)}\n${advice}`
}
