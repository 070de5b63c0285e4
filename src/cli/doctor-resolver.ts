import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { ask, type DnsReply } from '../net/dns-client.ts'
import {
  parseResolvConf,
  resolverFindings,
  verdictFrom,
  type Finding,
  type ResolverFacts,
  type Verdict,
} from './resolver-findings.ts'

const nameserverMs = 1500
/** The C library queries each server twice, with 5 s each. */
const lookupMsMax = 6000

export interface ResolverQuestion {
  readonly path: string
  readonly domain: string
  readonly dns: ResolverFacts['dns']
  /** What svcd itself answers for {@link questionOf}. */
  readonly expected: readonly string[]
}

/** A name that every cluster with a healthy server has. */
export function questionOf(domain: string): string {
  return `consul.service.${domain}`
}

/** Queries the nameservers of resolv.conf, and resolves the name as any program does. */
export async function lookAtResolver(question: ResolverQuestion): Promise<readonly Finding[]> {
  const { path, domain, dns, expected } = question
  const name = questionOf(domain)
  const text = await readFile(path, 'utf8').catch(() => '')
  const { nameservers } = parseResolvConf(text)
  const [answers, found, hosts] = await Promise.all([
    Promise.all(nameservers.map((address) => verdictOf(address, name))),
    systemLookup(name),
    hostsLine(),
  ])
  return resolverFindings({
    path,
    domain,
    name,
    dns,
    expected,
    hosts,
    found,
    nameservers: nameservers.map((address, at) => ({ address, verdict: answers[at] ?? 'silent' })),
  })
}

async function verdictOf(address: string, name: string): Promise<Verdict> {
  // A link-local address contains its interface, which a socket accepts, too.
  const server = { address, port: 53 }
  const question = (type: string): Promise<DnsReply> =>
    ask(server, name, type, { timeoutMs: nameserverMs, attempts: 1 })
  try {
    return verdictFrom(await Promise.all([question('A'), question('AAAA')]))
  } catch {
    return 'silent'
  }
}

async function systemLookup(name: string): Promise<readonly string[] | undefined> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), lookupMsMax)
  })
  const found = lookup(name, { all: true }).then(
    (addresses) => [...new Set(addresses.map(({ address }) => address))],
    () => undefined,
  )
  try {
    return await Promise.race([found, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

async function hostsLine(): Promise<string | undefined> {
  const text = await readFile('/etc/nsswitch.conf', 'utf8').catch(() => '')
  return /^\s*hosts:\s*(.*?)\s*(?:#.*)?$/m.exec(text)?.[1]
}
