import type { ApplyStatements } from './statements.ts'
import type { SummedLists, SummedRows } from './summed-rows.ts'
import { subject } from '../machine/versions.ts'

/** One command's change: its writes go through here, so that its subjects are not forgotten. */
export interface Change {
  readonly index: number
  readonly sql: ApplyStatements
  readonly rows: SummedRows
  readonly lists: SummedLists
  /** Nodes, by their keys, that this batch knows to be there: most of its commands are of the same few. */
  readonly nodes: Set<string>
  /** Notes that every reader and cache of the subject must look again. */
  touch(subject: string): void
}

/** A check decides who is in the answers of its service, or of every service on its node. */
export function touchCheck(nodeKey: string, serviceId: string, change: Change): void {
  change.touch(subject.checks)
  change.touch(subject.node(nodeKey))
  if (serviceId === '') {
    touchServices(nodeKey, change)
    return
  }
  const service = change.sql.service.get(nodeKey, serviceId)
  if (service !== undefined) change.touch(subject.service(service.name))
}

/** Answers of a service carry its nodes' addresses and judge their checks. */
export function touchServices(nodeKey: string, change: Change): void {
  for (const row of change.sql.servicesOfNode.all(nodeKey)) change.touch(subject.service(row.name))
}
