import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../definition/agent-definition.ts'
import type { Check, Service, Status } from '../state/catalog/model.ts'
import type { Origin } from './writes.ts'

/** What a registration met. */
export interface ServiceRegistered {
  /** The name that the service with this ID had before; undefined: there was none. */
  readonly replaced: string | undefined
}

/** The agent's own services and checks: agent.db, the check runner, and proposals to the catalog. */
export interface LocalAgent {
  /**
   * Resolves once the registration is committed and applied here. Keeps unlisted old checks by
   * default.
   */
  registerService(
    definition: AgentServiceDefinition,
    options: { readonly replaceExistingChecks: boolean },
    origin: Origin,
  ): Promise<ServiceRegistered>
  /** Rejects with `unknown-service-id`. */
  deregisterService(id: string, origin: Origin): Promise<void>
  /** Rejects with `unknown-service-id` when check.serviceId names none. */
  registerCheck(definition: AgentCheckDefinition, origin: Origin): Promise<void>
  /** Rejects with `unknown-check-id`. */
  deregisterCheck(id: string, origin: Origin): Promise<void>
  /** A TTL check reports. Rejects with `unknown-check-id` or `not-a-ttl-check`. */
  updateTtl(id: string, status: Status, output: string, origin: Origin): Promise<void>
  /** The agent's own services, by id, read while they are walked through. */
  services(): Iterable<Service>
  servicesNamed(name: string): readonly Service[]
  service(id: string): Service | undefined
  /** The agent's own checks, with their current status and output, as {@link services}. */
  checks(): Iterable<Check>
  /** The checks of one service, by id; of '' those of the node. */
  checksOfService(serviceId: string): readonly Check[]
  hasCheck(id: string): boolean
  /** What one of its checks belongs to; '' for the node. Undefined: there is no such check. */
  serviceIdOfCheck(id: string): string | undefined
  counts(): { readonly services: number; readonly checks: number }
}
