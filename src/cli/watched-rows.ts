import type { CheckEntry, HealthEntry, NodeEntry, ServiceEntry } from '../client/rows.ts'
import { firstLine } from './columns.ts'
import { instanceHealth } from './instance-health.ts'

/** One thing that is watched, as it is shown: label and value in order, by what makes it the same. */
export type Rows = ReadonlyMap<string, Readonly<Record<string, string>>>

/** User events are no state, so they have no rows. */
export type WatchedKind =
  'service' | 'services' | 'nodes' | 'node' | 'checks' | 'key' | 'keyprefix' | 'event'

/** What an event of a stream of this kind shows. */
export function rowsOf(kind: Exclude<WatchedKind, 'event'>, data: unknown): Rows {
  switch (kind) {
    case 'service':
      return instanceRows(data as readonly HealthEntry[])
    case 'services':
      return serviceRows(data as Readonly<Record<string, readonly string[]>>)
    case 'nodes':
      return nodeRows(data as readonly NodeEntry[])
    case 'node':
      return nodeServiceRows(data as NodeServices | null)
    case 'checks':
      return checkRows(data as readonly CheckEntry[])
    case 'key':
      return keyRows(data === null ? [] : [data as KeyEntry])
    case 'keyprefix':
      return keyRows((data ?? []) as readonly KeyEntry[])
  }
}

function instanceRows(instances: readonly HealthEntry[]): Rows {
  return new Map(
    instances.map(({ Node, Service, Checks }) => [
      `${Node.Node}/${Service.ID}`,
      {
        id: Service.ID,
        node: Node.Node,
        address: `${Service.Address === '' ? Node.Address : Service.Address}:${Service.Port}`,
        status: instanceHealth(Checks).status,
        tags: tagList(Service.Tags),
      },
    ]),
  )
}

function serviceRows(services: Readonly<Record<string, readonly string[]>>): Rows {
  return new Map(
    Object.entries(services).map(([service, tags]) => [service, { service, tags: tagList(tags) }]),
  )
}

function nodeRows(nodes: readonly NodeEntry[]): Rows {
  return new Map(
    nodes.map(({ Node, Address, Meta }) => [
      Node,
      { node: Node, address: Address, meta: JSON.stringify(Meta ?? {}) },
    ]),
  )
}

interface NodeServices {
  readonly Services: Readonly<Record<string, ServiceEntry>>
}

function nodeServiceRows(node: NodeServices | null): Rows {
  return new Map(
    Object.values(node?.Services ?? {}).map(({ ID, Service, Address, Port, Tags }) => [
      ID,
      { id: ID, service: Service, address: `${Address}:${Port}`, tags: tagList(Tags) },
    ]),
  )
}

function checkRows(checks: readonly CheckEntry[]): Rows {
  return new Map(
    checks.map(({ Node, CheckID, ServiceName, Status, Output }) => [
      `${Node}/${CheckID}`,
      {
        node: Node,
        check: CheckID,
        service: ServiceName === '' ? '-' : ServiceName,
        status: Status,
        output: firstLine(Output),
      },
    ]),
  )
}

interface KeyEntry {
  readonly Key: string
  /** In base64; null for none. */
  readonly Value: string | null
  readonly Flags: string
  readonly Session: string
}

/** A longer value is cut. */
const valueLengthMax = 200

function keyRows(entries: readonly KeyEntry[]): Rows {
  return new Map(
    entries.map(({ Key, Value, Flags, Session }) => [
      Key,
      {
        key: Key,
        value: cut(Buffer.from(Value ?? '', 'base64').toString()),
        flags: Flags === '0' ? '' : `flags ${Flags}`,
        lock: Session === '' ? '' : `locked by ${Session}`,
      },
    ]),
  )
}

function cut(text: string): string {
  return text.length <= valueLengthMax ? text : `${text.slice(0, valueLengthMax)}…`
}

function tagList(tags: readonly string[]): string {
  return tags.toSorted().join(',')
}
