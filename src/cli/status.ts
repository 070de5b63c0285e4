import type { Command } from 'commander'
import type { CheckEntry, Member, Self, ServiceSummary } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { visible } from '../base/invisible.ts'
import { agentClient } from './agent-client.ts'
import { hostPort } from './endpoint.ts'
import { outputOf } from './instance-health.ts'
import type { Io } from './io.ts'
import { statusOf } from './members.ts'
import { addClientOptions, addExamples, newCommand, type ClientOptions } from './new-command.ts'
import { addOutputOptions, print, table, type Column, type OutputOptions } from './output.ts'
import { paint, toneOf, type Tone } from './paint.ts'
import { tlsOf, tlsText, type TlsStatus } from './status-tls.ts'
import { ago, sinceCell, sinceOf } from './since.ts'

interface StatusOptions extends ClientOptions, OutputOptions {}

export function statusCommand(io: Io): Command {
  const command = newCommand(
    'status',
    'Show the cluster at a glance: the leader, the status of each server, the number of instances by health, TLS and the first certificate to expire, and ' +
      "every check that does not pass, with the reason and the time. It reads this agent's local copy, so it works " +
      'without a leader. The exit code is 0 even if something is critical.',
    io,
  ).action(async (options: StatusOptions) => {
    const client = await agentClient(options, io)
    const found = await gather(client, Date.now())
    const { servers, notPassing } = found
    return print(io, options, {
      data: found,
      names: [...servers.map(({ name }) => name), ...notPassing.map(({ check }) => check)],
      text: (isWide) => statusText(io, found, isWide),
    })
  })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd status', 'svcd status -o json'])
}

interface ServerStatus {
  readonly name: string
  readonly id: string
  readonly address: string
  readonly status: string
  readonly isLeader: boolean
  readonly version: string
}

interface Trouble {
  readonly status: string
  readonly node: string
  readonly service: string
  readonly check: string
  /** When the check changed last; `before …` when that is not known exactly, '' when not at all. */
  readonly since: string
  readonly ago: string
  readonly reason: string
}

/** What `-o json` prints. */
interface ClusterStatus {
  readonly agent: { readonly node: string; readonly version: string; readonly datacenter: string }
  /** The name of the leader; '' when there is none. */
  readonly leader: string
  readonly tls: TlsStatus
  readonly servers: readonly ServerStatus[]
  readonly services: number
  readonly instances: Readonly<Record<'passing' | 'warning' | 'critical' | 'maintenance', number>>
  readonly notPassing: readonly Trouble[]
}

async function gather(client: Client, nowMs: number): Promise<ClusterStatus> {
  const stale = { stale: true }
  const [self, leader, members, summaries, critical, warning] = await Promise.all([
    client.self(),
    client.leader(),
    client.members(),
    client.summary(stale),
    client.checks({ state: 'critical' }, stale),
    client.checks({ state: 'warning' }, stale),
  ])
  const checks = [...critical, ...warning]
  const since = checks.length === 0 ? () => '' : await sinceOf(client, checks)
  const servers = members.map((member) => serverOf(member, leader))
  return {
    agent: agentOf(self),
    leader: servers.find(({ isLeader }) => isLeader)?.name ?? leader,
    tls: tlsOf(self, nowMs),
    servers,
    services: summaries.length,
    instances: totals(summaries),
    notPassing: checks.map((check) => troubleOf(check, since(check), nowMs)),
  }
}

function agentOf({ Config }: Self): ClusterStatus['agent'] {
  const { NodeName, SvcdVersion = '', Datacenter } = Config
  return { node: NodeName, version: SvcdVersion, datacenter: Datacenter }
}

function serverOf(member: Member, leader: string): ServerStatus {
  const address = hostPort({ address: member.Addr, port: member.Port })
  return {
    name: member.Name,
    id: member.Tags['id'] ?? '',
    address,
    status: statusOf(member),
    isLeader: address === leader,
    version: (member.Tags['build'] ?? '').replace(/^.*:svcd-/, ''),
  }
}

function totals(rows: readonly ServiceSummary[]): ClusterStatus['instances'] {
  const sum = (of: (row: ServiceSummary) => number): number =>
    rows.reduce((total, row) => total + of(row), 0)
  return {
    passing: sum(({ Passing }) => Passing),
    warning: sum(({ Warning }) => Warning),
    critical: sum(({ Critical }) => Critical),
    maintenance: sum(({ Maintenance }) => Maintenance),
  }
}

function troubleOf(check: CheckEntry, since: string, nowMs: number): Trouble {
  const isMaintenance = /^_(?:node|service)_maintenance(?::|$)/.test(check.CheckID)
  return {
    status: isMaintenance ? 'maintenance' : check.Status,
    node: check.Node,
    service: check.ServiceID,
    check: check.CheckID,
    since,
    ago: ago(since, nowMs),
    reason: outputOf(check),
  }
}

/** A terminal shows only the first of them. */
const shownMax = 20

function statusText(io: Io, found: ClusterStatus, isWide: boolean): string {
  const { servers, services, instances, notPassing, tls } = found
  const counts = Object.entries(instances)
    .filter(([status, count]) => count > 0 || status === 'passing')
    .map(([status, count]) =>
      paint(`${count} ${status}`, count === 0 ? 'plain' : toneOf(status), io.terminal),
    )
  const shown = isWide || io.terminal === undefined ? notPassing : notPassing.slice(0, shownMax)
  const left = notPassing.length - shown.length
  const more = left === 0 ? '' : `… and ${left} more: run \`svcd status --wide\` to see all.\n`
  const trouble =
    notPassing.length === 0
      ? paint('All checks pass.', 'good', io.terminal) + '\n'
      : `Not passing:\n${table(io, shown, troubleColumns(io, isWide), isWide)}${more}`
  return [
    `Leader:    ${leaderText(io, found)}\n`,
    `Services:  ${services}, instances: ${counts.join(', ')}\n`,
    `TLS:       ${tlsText(tls, io, Date.now())}\n`,
    `\nServers:\n${table(io, servers, serverColumns, isWide)}`,
    `\n${trouble}`,
  ].join('')
}

function leaderText(io: Io, { leader, agent }: ClusterStatus): string {
  if (leader !== '') return `${visible(leader)} (reported by ${visible(agent.node)})`
  const none = paint('none', 'bad', io.terminal)
  // Only a leader notices that a server has failed, so the statuses may be out of date.
  return `${none} (reported by ${visible(agent.node)}). Writes fail until more than half of the cluster's servers reach each other. Until then, the list below may be out of date.`
}

const serverColumns: readonly Column<ServerStatus>[] = [
  { header: 'Node', cell: ({ name }) => name },
  { header: 'Address', cell: ({ address }) => address },
  { header: 'Status', cell: ({ status }) => toned(status, toneOf(status)) },
  { header: 'Role', cell: ({ isLeader }) => (isLeader ? toned('leader', 'good') : 'follower') },
  { header: 'Build', cell: ({ version }) => version },
  { header: 'ID', cell: ({ id }) => id, isWide: true },
]

function troubleColumns(io: Io, isWide: boolean): readonly Column<Trouble>[] {
  const isShort = io.terminal !== undefined && !isWide
  const nowMs = Date.now()
  return [
    { header: 'Status', cell: ({ status }) => toned(status, toneOf(status)) },
    { header: 'Node', cell: ({ node }) => node },
    { header: 'Service', cell: ({ service }) => (service === '' ? '-' : service) },
    { header: 'Check', cell: ({ check }) => check },
    { header: 'Since', cell: ({ since }) => sinceCell(since, nowMs, isShort) || '-' },
    { header: 'Reason', cell: ({ reason }) => reason },
  ]
}

function toned(text: string, tone: Tone): { readonly text: string; readonly tone: Tone } {
  return { text, tone }
}
