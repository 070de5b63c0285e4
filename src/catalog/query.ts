import type { Database } from 'better-sqlite3'
import type { Check, Instance, Node, Service, Status } from './model.ts'

/** Reads of the replicated catalog over one connection. Names match without regard to case. */
export interface CatalogReader {
  nodes(): readonly Node[]
  node(name: string): Node | undefined
  /** Every service name with the sorted union of its instances' tags. */
  serviceNames(): ReadonlyMap<string, readonly string[]>
  /** Instances in order of node name and id; empty when the service is unknown. */
  instances(serviceName: string): readonly Instance[]
  servicesOfNode(nodeName: string): readonly Service[]
  service(nodeName: string, id: string): Service | undefined
  check(nodeName: string, checkId: string): Check | undefined
  checksOfNode(nodeName: string): readonly Check[]
  checksOfService(serviceName: string): readonly Check[]
  /** 'any' = all of them. */
  checksInState(status: Status | 'any'): readonly Check[]
  /** The index at which the subject last changed, kept after deletion; 0 when it never existed. */
  indexOf(subject: string): number
  /** The index of the last command applied. */
  appliedIndex(): number
}

export type Connection = Database
