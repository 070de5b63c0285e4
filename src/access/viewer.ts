import type { Caller } from './caller.ts'
import type { Resource } from './rules/resource.ts'

/** A caller who is shown rows: it decides which ones, and notes whether some were left out. One for each answer. */
export class Viewer {
  readonly caller: Caller
  #isHidden = false

  constructor(caller: Caller) {
    this.caller = caller
  }

  /** Whether something was left out of what this viewer asked for. */
  get hasHidden(): boolean {
    return this.#isHidden
  }

  /** Whether it may read what has this name. */
  sees(resource: Resource, name: string): boolean {
    if (this.caller.rights.allows(resource, name, 'read')) return true
    this.#isHidden = true
    return false
  }

  /** Whether it may read an instance: its node and its service. */
  seesInstance(node: string, service: string): boolean {
    return this.sees('node', node) && this.sees('service', service)
  }

  /** Whether it may read a check; `service` is '' for a check of the node. */
  seesCheck(node: string, service: string): boolean {
    return this.sees('node', node) && (service === '' || this.sees('service', service))
  }

  /** Notes that something was left out for another reason than the right to read it. */
  hide(): void {
    this.#isHidden = true
  }
}
