import { Option, type Command } from 'commander'
import { svcdError, type SvcdError } from '../base/errors.ts'
import { ask, type DnsRecord, type DnsReply } from '../net/dns-client.ts'
import { columns } from './columns.ts'
import { hostPort, type Endpoint } from './endpoint.ts'
import { fullName, type FullName } from './full-name.ts'
import { dnsAddress } from './http-address.ts'
import type { Io } from './io.ts'
import { addExamples, collect, newCommand, printJson } from './new-command.ts'

interface ResolveOptions {
  readonly type?: readonly string[]
  readonly dnsAddr?: string
  readonly domain?: string
  readonly tcp?: boolean
  readonly json?: boolean
}

export function resolveCommand(io: Io): Command {
  const command = newCommand(
    'resolve',
    'Ask the DNS server for a name, and show what any client gets.',
    io,
  )
    .argument('<name>', 'A service (web, v1.web, _web._tcp), a node (n1.node), or a whole name.')
    .addOption(
      new Option(
        '-t, --type <type>',
        'The record type. Repeatable. (default: A, AAAA and, for a service, SRV)',
      ).argParser(collect),
    )
    .option('--tcp', 'Ask over TCP. (default: over UDP, and again over TCP when truncated)')
    .option(
      '--dns-addr <address>',
      'The DNS server: ip:port. (default: 127.0.0.1:8600, env: SVCD_DNS_ADDR)',
    )
    .option(
      '--domain <name>',
      'The domain that completes a short name. (default: consul, env: SVCD_DOMAIN)',
    )
    .option('--json', 'Print JSON.')
    .action(async (name: string, options: ResolveOptions) => resolve(name, options, io))
  return addExamples(command, [
    'svcd resolve web',
    'svcd resolve v1.web --type SRV',
    'svcd resolve n1.node --dns-addr 10.0.0.1:53 --tcp',
  ])
}

async function resolve(text: string, options: ResolveOptions, io: Io): Promise<void> {
  const server = dnsAddress(options.dnsAddr, io.env)
  const domain = (options.domain ?? io.env['SVCD_DOMAIN'] ?? '') || 'consul'
  const full = fullName(text, domain.replace(/\.$/, '').toLowerCase())
  checkLengths(full.name)
  const types = options.type ?? full.types
  const replies = await Promise.all(
    types.map(async (type) => ask(server, full.name, type, { tcp: options.tcp })),
  )
  const found = replies.some((reply) => reply.answer.length > 0)
  if (options.json === true) printJson(io, { name: full.name, server: hostPort(server), replies })
  else if (found) io.out(table(replies) + summary(replies, server))
  if (!found) throw noAnswer(full, types, replies, server)
}

/** RFC 1035 §2.3.4. What else may stand in a name is the server's business. */
function checkLengths(name: string): void {
  const bad = name.split('.').find((label) => label === '' || Buffer.byteLength(label) > 63)
  if (bad === undefined && Buffer.byteLength(name) <= 253) return
  const reason = `"${name}" cannot be asked for; labels have 1 to 63 bytes, a name at most 253`
  throw svcdError('invalid-field', { field: 'name', reason })
}

function table(replies: readonly DnsReply[]): string {
  const answers = replies.flatMap((reply) => reply.answer)
  // The addresses of SRV targets come along; those that were asked for are shown already.
  const records = [...answers, ...replies.flatMap((reply) => reply.additional)]
  const rows = new Map(records.map((record) => [rowKey(record), row(record)]))
  return columns(['Name', 'Type', 'TTL', 'Data'], [...rows.values()])
}

function row({ name, type, ttl, data }: DnsRecord): readonly string[] {
  return [name, type, String(ttl), data]
}

function rowKey(record: DnsRecord): string {
  return row(record).join(' ').toLowerCase()
}

function summary(replies: readonly DnsReply[], server: Endpoint): string {
  const over = unique(replies.map((reply) => reply.transport.toUpperCase())).join(' and ')
  return `\n${rcodes(replies)} from ${hostPort(server)} over ${over}\n`
}

function noAnswer(
  full: FullName,
  types: readonly string[],
  replies: readonly DnsReply[],
  server: Endpoint,
): SvcdError {
  return svcdError('no-such-name', {
    name: full.name,
    types: types.join(', '),
    rcode: rcodes(replies),
    address: hostPort(server),
    hint: hintFor(full, replies),
  })
}

function hintFor({ name }: FullName, replies: readonly DnsReply[]): string {
  const rcode = replies[0]?.rcode
  if (rcode === 'REFUSED') return ' It answers for its own domain only.'
  if (rcode === 'SERVFAIL') return ' It is not ready; ask again in a moment, or see its log.'
  const service = /(?:^|\.)_?([^.]+)(?:\._[^.]+)?\.service\./i.exec(name)?.[1]
  if (service === undefined) return ' `svcd nodes` and `svcd services` list what is registered.'
  return ` Is the service registered, and an instance healthy? \`svcd services ${service}\` shows them.`
}

function rcodes(replies: readonly DnsReply[]): string {
  return unique(replies.map((reply) => reply.rcode)).join(', ')
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
