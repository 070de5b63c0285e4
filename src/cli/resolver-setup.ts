import { isIP } from 'node:net'
import type { Command } from 'commander'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { columns } from './columns.ts'
import { hostPort, type Endpoint } from './endpoint.ts'
import { dnsAddress, httpAddress } from './http-address.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { isLoopback, resolverSystems } from './resolver-snippets.ts'
import type { Forwarding, ResolverSystem, Snippet } from './resolver-snippets.ts'

interface SetupOptions extends ClientOptions {
  readonly dnsAddr?: string
  readonly domain?: string
}

const domainDefault = 'consul'

export function resolverSetupCommand(io: Io): Command {
  const command = newCommand(
    'resolver-setup',
    "Print what a resolver needs so that it forwards the registry's domain to the agent. Standard output has the " +
      'content of the file; its path and the next steps are on standard error. Address, port and domain are those of ' +
      'the running agent, unless you give them.',
    io,
  )
    .argument('[system]', 'The resolver. (default: list them)')
    .option(
      '--dns-addr <address>',
      'Where the resolver reaches the DNS of svcd: ip:port. Then no agent is asked. (env: SVCD_DNS_ADDR)',
    )
    .option(
      '--domain <name>',
      'The domain to forward. (default: that of the agent, or consul with -dns-addr; env: SVCD_DOMAIN)',
    )
    .action(async (name: string | undefined, options: SetupOptions) => {
      if (name === undefined) return listSystems(options, io)
      const system = systemOf(name)
      const forwarding = await forwardingOf(options, io)
      checkReach(name, system, forwarding)
      return printSnippet(system.snippet(forwarding), options, io)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd resolver-setup',
    'svcd resolver-setup dnsmasq > /etc/dnsmasq.d/svcd.conf',
    'svcd resolver-setup unbound --dns-addr 10.0.0.1 --domain example.com',
  ])
}

function listSystems({ json }: SetupOptions, io: Io): void {
  const rows = Object.entries(resolverSystems).map(([name, { description }]) => [name, description])
  if (json !== true) return io.out(columns(['System', 'Resolver'], rows))
  return printJson(io, Object.keys(resolverSystems))
}

function systemOf(name: string): ResolverSystem {
  const names = Object.keys(resolverSystems)
  const system = Object.hasOwn(resolverSystems, name) ? resolverSystems[name] : undefined
  if (system !== undefined) return system
  const reason = `"${name}" is not a resolver that svcd knows; use ${names.join(', ')}`
  throw svcdError('invalid-field', { field: 'system', reason })
}

/** Options count more than variables, and these more than what the agent says. */
async function forwardingOf(options: SetupOptions, io: Io): Promise<Forwarding> {
  const given = nonEmpty(options.dnsAddr) ?? nonEmpty(io.env['SVCD_DNS_ADDR'])
  const domain = nonEmpty(options.domain) ?? nonEmpty(io.env['SVCD_DOMAIN'])
  if (given !== undefined) {
    return checked({ ...dnsAddress(given, io.env), domain: domain ?? domainDefault })
  }
  const { DebugConfig } = await (await agentClient(options, io)).self()
  const { DNSPort: port, DNSDomain } = DebugConfig
  if (port < 1) {
    const reason =
      'The agent does not say on which port it answers DNS. Give the address: -dns-addr ip:port.'
    throw svcdError('usage', { reason })
  }
  const { hostname } = new URL(httpAddress(options.httpAddr, io.env))
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname.replace(/^\[(.*)\]$/, '$1')
  return checked({ address: host, port, domain: domain ?? DNSDomain })
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** The values go into files in which some characters have a meaning. */
function checked({ domain: asked, ...server }: Forwarding): Forwarding {
  const domain = asked.replace(/\.$/, '').toLowerCase()
  if (!/^[\w-]+(?:\.[\w-]+)*$/.test(domain)) {
    const reason = `"${asked}" is not a domain; write a name such as svc.example.com`
    throw svcdError('invalid-option', { option: '--domain', reason })
  }
  if (isIP(server.address) === 0) {
    const reason = `"${server.address}" is not an IP address; resolvers need one, such as 10.0.0.1:8600`
    throw svcdError('invalid-option', { option: '--dns-addr', reason })
  }
  return { ...server, domain }
}

/** Some resolvers cannot be told a port, or have another loopback interface. */
function checkReach(name: string, { needs }: ResolverSystem, server: Endpoint): void {
  if (needs === undefined) return
  const isNear = needs !== 'port 53' && isLoopback(server.address)
  if (server.port === 53 && !isNear) return
  const reason =
    `${name} can only query ${needs}, and svcd answers at ${hostPort(server)}. ` +
    'Start the agent with -dns-port 53 and a suitable -dns-addresses, or name such an address with -dns-addr.'
  throw svcdError('usage', { reason })
}

function printSnippet({ files, steps }: Snippet, { json }: SetupOptions, io: Io): void {
  if (json === true) return printJson(io, { files, steps })
  for (const { path, text } of files) {
    io.err(`${files[0]?.path === path ? '' : '\n'}# ${path}:\n`)
    io.out(text)
  }
  if (steps.length > 0) io.err(`\n# Then:\n${steps.map((step) => `#   ${step}\n`).join('')}`)
  return undefined
}
