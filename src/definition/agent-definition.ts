import type { CheckDefinition, ServiceDefinition } from '../state/catalog/model.ts'
import type { CheckPlan } from './check-plan.ts'

/** A check of the local agent: its catalog row and how it is run. */
export interface AgentCheckDefinition {
  readonly check: CheckDefinition
  /** Who defined it: somebody over the API, or a file of this agent's. */
  readonly owner: 'agent' | 'file'
  readonly plan: CheckPlan
  readonly successBeforePassing: number
  readonly failuresBeforeWarning: number
  readonly failuresBeforeCritical: number
  /** 0 = never. */
  readonly deregisterAfterMs: number
}

export interface AgentServiceDefinition {
  readonly service: ServiceDefinition
  readonly checks: readonly AgentCheckDefinition[]
}
