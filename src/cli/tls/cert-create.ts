import type { Command } from 'commander'
import { reasonOf, SvcdError, svcdError } from '../../base/errors.ts'
import { parseIp } from '../../base/ip.ts'
import { checkDnsName } from '../../config/check.ts'
import type { Credentials, Role } from '../../pki/authority.ts'
import type { Io } from '../io.ts'
import { addExamples, collect, newCommand } from '../new-command.ts'
import { caName } from './ca-create.ts'
import { daysOf } from './days.ts'

interface CertOptions {
  readonly server?: boolean
  readonly client?: boolean
  readonly cli?: boolean
  readonly dc: string
  readonly domain: string
  readonly node?: string
  readonly additionalDnsname?: readonly string[]
  readonly additionalIpaddress?: readonly string[]
  readonly ca: string
  readonly key: string
  readonly days: string
}

const roles: readonly Role[] = ['server', 'client', 'cli']

export function tlsCertCreateCommand(io: Io): Command {
  const command = newCommand(
    'tls cert create',
    'Create a certificate and its key, signed by the authority of `svcd tls ca create`: for a server ' +
      '(dc1-server-svcd-0.pem), for a client (dc1-client-svcd-0.pem) or for the command line ' +
      '(dc1-cli-svcd-0.pem), in the current directory. Existing files are never overwritten: the number in the ' +
      'name grows.',
    io,
  )
    .option(
      '--server',
      'For a server: the certificate contains the name server.DATACENTER.DOMAIN, and only with it can a program act as a server.',
    )
    .option('--client', 'For a client, which serves HTTPS or connects to it.')
    .option('--cli', 'For the command line, which only connects.')
    .option('--dc <name>', 'The datacenter.', 'dc1')
    .option('--domain <name>', 'The domain of the registry.', 'consul')
    .option('--node <name>', 'With -server: the certificate is valid only for this node.')
    .option('--additional-dnsname <name>', 'One more DNS name. Repeatable.', collect)
    .option('--additional-ipaddress <ip>', 'One more IP address. Repeatable.', collect)
    .option('--ca <path>', 'The certificate of the authority.', caName.cert)
    .option('--key <path>', 'The key of the authority.', caName.key)
    .option('--days <n>', 'How many days the certificate is valid.', '365')
    .action(async (options: CertOptions) => {
      const role = roleOf(options)
      checkNames(options, role)
      const credentials = await create(options, role, io)
      const { freeName, writeNew } = await import('./new-files.ts')
      const paths = freeName(`${options.dc.toLowerCase()}-${role}-svcd`)
      writeNew(paths, credentials)
      io.out(`==> Saved ${paths.cert}\n==> Saved ${paths.key}\n`)
    })
  return addExamples(command, [
    'svcd tls cert create -server -node n1',
    'svcd tls cert create -server -additional-dnsname svcd.example.com',
    'svcd tls cert create -cli',
  ])
}

function roleOf(options: CertOptions): Role {
  const [role, ...more] = roles.filter((one) => options[one] === true)
  if (role !== undefined && more.length === 0) return role
  throw svcdError('invalid-option', {
    option: role === undefined ? '-server' : `-${more[0]}`,
    reason: 'set exactly one of -server, -client and -cli',
  })
}

function checkNames(options: CertOptions, role: Role): void {
  const { dc, domain, node, additionalDnsname = [], additionalIpaddress = [] } = options
  if (node !== undefined && role !== 'server') refuse('-node', 'it is only for -server')
  const names = [
    ['-dc', dc],
    ['-domain', domain],
    ...(node === undefined ? [] : [['-node', node] as const]),
    ...additionalDnsname.map((name) => ['-additional-dnsname', name.replace(/^\*\./, '')] as const),
  ] as const
  for (const [option, name] of names) {
    const reason = checkDnsName(name)
    if (reason !== undefined) refuse(option, reason)
  }
  for (const ip of additionalIpaddress) {
    if (parseIp(ip) === undefined) refuse('-additional-ipaddress', `"${ip}" is not an IP address`)
  }
}

function refuse(option: string, reason: string): never {
  throw svcdError('invalid-option', { option, reason })
}

async function create(options: CertOptions, role: Role, io: Io): Promise<Credentials> {
  const { createLeaf } = await import('../../pki/authority.ts')
  const days = daysOf(options.days)
  try {
    const authority = {
      cert: await io.readText(options.ca),
      key: await io.readText(options.key),
    }
    const made = createLeaf(authority, {
      role,
      datacenter: options.dc.toLowerCase(),
      domain: options.domain.replace(/\.$/, '').toLowerCase(),
      node: options.node?.toLowerCase(),
      dnsNames: options.additionalDnsname ?? [],
      ipAddresses: options.additionalIpaddress ?? [],
      days,
      nowMs: Date.now(),
    })
    if (made !== undefined) return made
  } catch (error) {
    if (error instanceof SvcdError) throw error
    throw svcdError('authority-unusable', { reason: reasonOf(error) }, error)
  }
  const reason = `"${options.key}" is not an EC, RSA or Ed25519 key`
  throw svcdError('authority-unusable', { reason })
}
