import type { Backend, Identity, LocalAgent, Origin } from '../api/backend.ts'
import type { CommandBody, Outcome } from '../catalog/command.ts'
import type { CatalogReader } from '../catalog/query.ts'
import type { Versions } from '../catalog/versions.ts'
import type { StateReader } from '../storage/state.ts'
import type { ChangeWaiters } from './change-waiters.ts'
import type { Replica } from './replica.ts'

export interface NodeBackendParts {
  readonly identity: Identity
  readonly agent: LocalAgent
  readonly replica: Replica
  readonly state: StateReader
  readonly versions: Versions
  readonly waiters: ChangeWaiters
}

/** The node as the HTTP API sees it. */
export class NodeBackend implements Backend {
  readonly identity: Identity
  readonly agent: LocalAgent
  readonly #parts: NodeBackendParts
  readonly #ownPeer: string

  constructor(parts: NodeBackendParts) {
    this.identity = parts.identity
    this.agent = parts.agent
    this.#parts = parts
    const { address, ports } = parts.identity
    this.#ownPeer = address.includes(':')
      ? `[${address}]:${ports.server}`
      : `${address}:${ports.server}`
  }

  propose(body: CommandBody, origin: Origin): Promise<Outcome> {
    return this.#parts.replica.propose(body, origin)
  }

  read<T>(query: (catalog: CatalogReader) => T): T {
    return this.#parts.state.read(query)
  }

  version(): number {
    return this.#parts.versions.applied
  }

  waitForChange(
    subject: string,
    since: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#parts.waiters.wait(subject, since, timeoutMs, signal)
  }

  /** A server that is its cluster's only voter leads it for as long as it runs. */
  leader(): string {
    return this.#ownPeer
  }

  peers(): readonly string[] {
    return [this.#ownPeer]
  }

  lastContactMs(): number {
    return 0
  }
}
