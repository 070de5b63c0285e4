import { Option, type Command } from 'commander'
import { svcdError, SvcdError } from '../base/errors.ts'
import { visible } from '../base/invisible.ts'
import { ask, type DnsRecord, type DnsReply } from '../net/dns-client.ts'
import { tlsOf } from './agent-client.ts'
import { hostPort, type Endpoint } from './endpoint.ts'
import { fullName } from './full-name.ts'
import { dnsAddress } from './http-address.ts'
import type { Io } from './io.ts'
import { addExamples, collect, newCommand } from './new-command.ts'
import { addOutputOptions, outputFormat, print, table } from './output.ts'
import type { Column, OutputOptions } from './output.ts'
import { inWords, kindOf, resolveHint } from './resolve-hint.ts'

interface ResolveOptions extends OutputOptions {
  readonly type?: readonly string[]
  readonly dnsAddr?: string
  readonly domain?: string
  readonly tcp?: boolean
  readonly tls?: boolean
  readonly https?: boolean
  readonly caFile?: string
  readonly tlsServerName?: string
}

export function resolveCommand(io: Io): Command {
  const command = newCommand(
    'resolve',
    'Query the DNS server of the agent for a name, as any DNS client does, and show its answer.',
    io,
  )
    .argument(
      '<name>',
      'A service (web, v1.web, _web._tcp), a node (n1.node), an IP address, or a full name.',
    )
    .argument(
      '[transport]',
      'For users of dig: +tcp, +tls or +https, in place of the options below.',
    )
    .addOption(
      new Option(
        '-t, --type <type>',
        'The record type. Repeatable. (default: A and AAAA, for a service also SRV)',
      ).argParser(collect),
    )
    .option(
      '--tcp',
      'Query over TCP. (default: over UDP, with a retry over TCP if the answer is truncated)',
    )
    .option('--tls', 'Query over TLS (port 853 if the address has none).')
    .option('--https', 'Query over HTTPS (port 443 if the address has none).')
    .option(
      '--ca-file <path>',
      'A PEM file with the authorities to trust for --tls and --https. (env: SVCD_CACERT, CONSUL_CACERT)',
    )
    .option(
      '--tls-server-name <name>',
      "The name in the server's certificate, if it is not the address. (env: SVCD_TLS_SERVER_NAME, CONSUL_TLS_SERVER_NAME)",
    )
    .option(
      '--dns-addr <address>',
      'The DNS server: ip:port. (default: 127.0.0.1:8600, env: SVCD_DNS_ADDR)',
    )
    .option(
      '--domain <name>',
      'The domain to append to a short name. (default: consul, env: SVCD_DOMAIN)',
    )
    .option('--json', 'Print JSON.')
    .action(async (name: string, transport: string | undefined, options: ResolveOptions) => {
      return resolve(name, { ...options, ...digFlag(transport) }, io)
    })
  addOutputOptions(command)
  return addExamples(command, [
    'svcd resolve web',
    'svcd resolve v1.web --type SRV',
    'svcd resolve n1.node --dns-addr 10.0.0.1:53 --tcp',
    'svcd resolve web --dns-addr 10.0.0.1 --tls --ca-file svcd-agent-ca.pem',
    'svcd resolve web +tcp',
  ])
}

/** The option that `+tls` stands for. */
function digFlag(transport: string | undefined): Pick<ResolveOptions, 'tcp' | 'tls' | 'https'> {
  if (transport === undefined) return {}
  const flag = (['tcp', 'tls', 'https'] as const).find((each) => transport === `+${each}`)
  if (flag !== undefined) return { [flag]: true }
  const reason = `"${transport}" is not a transport. Use +tcp, +tls or +https, or only one name.`
  throw svcdError('usage', { reason })
}

async function resolve(text: string, options: ResolveOptions, io: Io): Promise<void> {
  const encrypted = encryptedBy(options)
  const server = dnsAddress(options.dnsAddr, io.env, portOf(encrypted))
  const trust = encrypted === undefined ? undefined : await tlsOf(options, io)
  const domain = (options.domain ?? io.env['SVCD_DOMAIN'] ?? '') || 'consul'
  const full = fullName(text, domain.replace(/\.$/, '').toLowerCase())
  checkLengths(full.name)
  const types = options.type ?? full.types
  const format = outputFormat(options)
  const asked = (type: string): Promise<DnsReply> =>
    ask(server, full.name, type, { tcp: options.tcp, encrypted, trust })
  const replies = await Promise.all(types.map(asked)).catch(async (error: unknown) => {
    throw (await isHttp(server, error)) ?? error
  })
  const found = replies.some((reply) => reply.answer.length > 0)
  if (found || format === 'json' || format === 'yaml') {
    await print(io, options, {
      data: { name: full.name, server: hostPort(server), replies },
      names: unique(replies.flatMap(({ answer }) => answer.map(({ data }) => data))),
      text: (isWide) => resolvedTable(io, replies, isWide) + summary(replies, server),
    })
  }
  if (found) return
  throw svcdError('no-such-name', {
    name: full.name,
    types: inWords(types, 'or'),
    rcode: [...unique(replies.map(kindOf)), ...errorTexts(replies)].join(', '),
    address: hostPort(server),
    hint: await resolveHint({ text, name: full.name, domain, replies, ask: asked }),
  })
}

function encryptedBy({ tls, https }: ResolveOptions): 'tls' | 'https' | undefined {
  if (https === true) return 'https'
  return tls === true ? 'tls' : undefined
}

/** As IANA has assigned them. */
function portOf(encrypted: 'tls' | 'https' | undefined): number | undefined {
  if (encrypted === undefined) return undefined
  return encrypted === 'tls' ? 853 : 443
}

/** The error for a user who gave the HTTP port as the DNS port. */
async function isHttp(server: Endpoint, error: unknown): Promise<SvcdError | undefined> {
  if (!(error instanceof SvcdError) || error.code !== 'dns-unreachable') return undefined
  const { answersHttp } = await import('./wrong-address.ts')
  const address = hostPort(server)
  if (!(await answersHttp(`http://${address}`, 800))) return undefined
  const [, host = ''] = /^(.*):\d+$/.exec(address) ?? []
  return svcdError('dns-is-http', { address, host }, error)
}

/** RFC 1035 §2.3.4. The server decides about everything else in a name. */
function checkLengths(name: string): void {
  const bad = name.split('.').find((label) => label === '' || Buffer.byteLength(label) > 63)
  if (bad === undefined && Buffer.byteLength(name) <= 253) return
  const reason = `"${name}" is not a DNS name; use labels of 1 to 63 bytes, and at most 253 bytes in total`
  throw svcdError('invalid-field', { field: 'name', reason })
}

function resolvedTable(io: Io, replies: readonly DnsReply[], isWide: boolean): string {
  const answers = replies.flatMap((reply) => reply.answer)
  // The addresses of SRV targets; addresses that were queried are shown already.
  const records = [...answers, ...replies.flatMap((reply) => reply.additional)]
  const rows = new Map(records.map((record) => [rowKey(record), record]))
  return table(io, [...rows.values()], recordColumns, isWide)
}

const recordColumns: readonly Column<DnsRecord>[] = [
  { header: 'Name', cell: ({ name }) => name },
  { header: 'Type', cell: ({ type }) => type },
  { header: 'TTL', cell: ({ ttl }) => String(ttl) },
  { header: 'Data', cell: ({ data }) => data },
]

function rowKey({ name, type, ttl, data }: DnsRecord): string {
  return [name, type, String(ttl), data].join(' ').toLowerCase()
}

/** For example `EDE 3 (Stale Answer)`, as dig shows it, with the text of the server behind it. */
function errorText({ code, name, text }: DnsReply['extendedErrors'][number]): string {
  const named = name === '' ? `EDE ${code}` : `EDE ${code} (${name})`
  return visible(text === '' ? named : `${named}: ${text}`)
}

function errorTexts(replies: readonly DnsReply[]): readonly string[] {
  return unique(replies.flatMap(({ extendedErrors }) => extendedErrors.map(errorText)))
}

function summary(replies: readonly DnsReply[], server: Endpoint): string {
  const over = unique(replies.map((reply) => reply.transport.toUpperCase())).join(' and ')
  const rcodes = unique(replies.map((reply) => reply.rcode)).join(', ')
  const errors = errorTexts(replies).map((text) => `${text}\n`)
  return `\n${rcodes} from ${hostPort(server)} over ${over}\n${errors.join('')}`
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
