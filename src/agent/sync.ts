import type { Identity } from '../ports/identity.ts'
import type { Origin } from '../ports/writes.ts'
import { SvcdError, reasonOf, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { RegisterCommand } from '../state/catalog/commands.ts'
import type { CommandBody } from '../state/families.ts'
import type { Outcome } from '../state/machine/command.ts'
import type { CheckDefinition, NodeDefinition } from '../state/catalog/model.ts'
import type { AgentStore } from '../storage/agent/store.ts'
import type { Removal } from '../storage/agent/rows.ts'
import type { ChangeLog } from './change-log.ts'
import type { CheckRun } from './checks/definition.ts'
import type { CheckRunner, RunningCheck } from './checks/runner.ts'
import { RetryQueue } from './retry-queue.ts'

export interface AgentSyncParts {
  readonly identity: Identity
  readonly node: NodeDefinition
  readonly store: AgentStore<CheckRun>
  readonly runner: CheckRunner
  readonly propose: (body: CommandBody, origin: Origin) => Promise<Outcome>
  readonly changeLog: ChangeLog
  /** Registers the node itself again, after somebody removed it. */
  readonly registerNode: () => Promise<void>
  readonly logger: Logger
  readonly random: Random
  readonly retryMsMin: number
  readonly retryMsMax: number
}

/** The proposals under way about one check: the one sent, and who asked for the one to follow. */
interface Telling {
  next: Origin | undefined
  done: Promise<void>
}

const noteEveryMs = 1000
const noteSizeMax = 1000

/**
 * Keeps the catalog as agent.db says. Every change is proposed immediately. A failed proposal is
 * repeated until it succeeds, with the state of agent.db at that time, so that nothing is lost and
 * the latest wins.
 */
export class AgentSync {
  readonly #parts: AgentSyncParts
  readonly #origin: Origin
  readonly #queue: RetryQueue
  /** The last registration under way by key: an older one's acknowledgement says nothing of it. */
  readonly #underWay = new Map<string, RegisterCommand>()
  readonly #telling = new Map<RunningCheck, Telling>()
  readonly #acknowledged = new Map<string, number>()
  /** Deregistered here, not acknowledged yet. */
  readonly #removals = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #knownIndex = 0
  #stopped = false

  constructor(parts: AgentSyncParts) {
    this.#parts = parts
    this.#origin = { actor: `agent ${parts.identity.nodeName}`, cause: 'sync' }
    this.#queue = new RetryQueue({
      random: parts.random,
      attempt: (key) => this.#attempt(key),
      delayMsMin: parts.retryMsMin,
      delayMsMax: parts.retryMsMax,
    })
    this.#timer = setInterval(() => this.#noteAcknowledged(), noteEveryMs)
    this.#timer.unref()
  }

  /** The newest index that this agent has seen acknowledged or read. */
  get knownIndex(): number {
    return this.#knownIndex
  }

  learnIndex(index: number): void {
    if (index > this.#knownIndex) this.#knownIndex = index
  }

  /** Proposes a service with its checks, all of them in agent.db already. Rejects when that fails. */
  async registerService(command: RegisterCommand, origin: Origin): Promise<void> {
    const id = command.service?.id ?? ''
    await this.#register(`service:${id}`, command, origin)
  }

  /** Proposes one check that is in agent.db already. Rejects when that fails. */
  async registerCheck(check: CheckDefinition, origin: Origin): Promise<void> {
    const { nodeName } = this.#parts.identity
    const command: RegisterCommand = {
      kind: 'register',
      nodeName,
      checks: [check],
      replaceChecks: false,
    }
    await this.#register(`check:${check.checkId}`, command, origin)
  }

  /** Proposes a deregistration that agent.db remembers. Rejects when that fails. */
  async remove(removal: Removal, origin: Origin): Promise<void> {
    const key = removalKey(removal)
    const { nodeName } = this.#parts.identity
    this.#removals.add(key)
    this.#underWay.delete(keyOf(removal))
    this.#acknowledged.delete(keyOf(removal))
    this.#queue.delete(keyOf(removal))
    const subject = removal.kind === 'service' ? { serviceId: removal.id } : { checkId: removal.id }
    const body: CommandBody = { kind: 'deregister', nodeName, ...subject }
    try {
      const { index } = await this.#propose(body, origin)
      if (origin !== this.#origin) this.#parts.changeLog.note(body, origin, index)
    } catch (error) {
      if (this.#removals.has(key)) this.#failed(key, error)
      throw error
    }
    if (this.#removals.delete(key) && !this.#stopped) this.#parts.store.forgetRemoval(removal)
  }

  /** Whether it was deregistered here and the catalog may not have heard of it. */
  isRemoving(removal: Removal): boolean {
    return this.#removals.has(removalKey(removal))
  }

  /** It is registered again: the catalog is not to be told of its removal any more. */
  cancelRemoval(removal: Removal): void {
    const key = removalKey(removal)
    if (!this.#removals.delete(key)) return
    this.#queue.delete(key)
    this.#parts.store.forgetRemoval(removal)
  }

  /** Has a removal that agent.db remembers proposed again. */
  resumeRemoval(removal: Removal): void {
    this.#removals.add(removalKey(removal))
    this.#queue.add(removalKey(removal))
  }

  /**
   * Writes the state of a check to the catalog. One proposal at a time for each check; changes
   * during a proposal go out in the next. Rejects when a proposal fails, which is repeated later.
   */
  tell(check: RunningCheck, origin: Origin): Promise<void> {
    const telling = this.#telling.get(check)
    if (telling !== undefined) {
      telling.next = origin
      return telling.done
    }
    const state: Telling = { next: origin, done: Promise.resolve() }
    state.done = this.#tellAll(check, state).finally(() => this.#telling.delete(check))
    this.#telling.set(check, state)
    return state.done
  }

  /** Whether the catalog may not hold yet what the check's state says it was told. */
  isTelling(check: RunningCheck): boolean {
    return this.#telling.has(check) || this.#queue.has(`check:${check.checkId}`)
  }

  /** Whether a proposal about it is under way or waiting. */
  isBusy(kind: 'service' | 'check', id: string): boolean {
    const key = `${kind}:${id}`
    return this.#underWay.has(key) || this.#queue.has(key) || this.isRemoving({ kind, id })
  }

  /** Writes to agent.db what was acknowledged so far. */
  noteAcknowledged(): void {
    this.#noteAcknowledged()
  }

  /** Has something proposed from agent.db, now or as soon as it can be. */
  later(kind: 'service' | 'check' | 'node', id: string): void {
    this.#queue.add(`${kind}:${id}`)
  }

  runNow(): Promise<void> {
    return this.#queue.runNow()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#noteAcknowledged()
    this.#stopped = true
    await this.#queue.stop()
  }

  async #register(key: string, command: RegisterCommand, origin: Origin): Promise<void> {
    this.#underWay.set(key, command)
    this.#acknowledged.delete(key)
    for (const check of command.checks) this.#acknowledged.delete(`check:${check.checkId}`)
    try {
      const { index } = await this.#proposeRegister(command, origin)
      // A failure that will be retried has been logged as such.
      if (origin !== this.#origin) this.#parts.changeLog.note(command, origin, index)
      if (this.#underWay.get(key) !== command || this.#stopped) return
      this.#queue.delete(key)
      this.#note(key, index)
      for (const { checkId } of command.checks) {
        if (!this.#underWay.has(`check:${checkId}`)) this.#note(`check:${checkId}`, index)
      }
    } catch (error) {
      if (this.#underWay.get(key) === command) this.#failed(key, error)
      throw error
    } finally {
      if (this.#underWay.get(key) === command) this.#underWay.delete(key)
    }
  }

  async #propose(body: CommandBody, origin: Origin): Promise<Outcome> {
    const outcome = await this.#parts.propose(body, origin)
    this.learnIndex(outcome.index)
    return outcome
  }

  async #proposeRegister(command: RegisterCommand, origin: Origin): Promise<Outcome> {
    const { registerNode, node } = this.#parts
    const first = await this.#propose(command, origin)
    if (first.ok) return first
    // What the command stands on is missing in the catalog, though it is here: somebody removed it.
    if (first.error === 'unknown-node') await registerNode()
    else await this.#syncService(first.subject)
    const again = first.error === 'unknown-node' ? { ...command, node } : command
    const second = await this.#propose(again, origin)
    if (second.ok) return second
    throw svcdError('unknown-service-id', { id: second.subject })
  }

  async #attempt(key: string): Promise<void> {
    const [kind, ...rest] = key.split(':')
    const id = rest.join(':')
    if (this.#stopped) return
    if (kind === 'node') return this.#parts.registerNode()
    if (kind === 'service') return this.#syncService(id)
    if (kind === 'check') return this.#syncCheck(id)
    const [of, ...name] = rest
    const removal: Removal = { kind: of === 'service' ? 'service' : 'check', id: name.join(':') }
    if (this.isRemoving(removal)) await this.remove(removal, this.#origin)
  }

  async #syncService(id: string): Promise<void> {
    const { store, identity } = this.#parts
    const stored = store.service(id)
    if (stored === undefined) return
    const checks = store.checksOfService(id).map(({ check }) => this.#present(check))
    const command: RegisterCommand = {
      kind: 'register',
      nodeName: identity.nodeName,
      service: stored.service,
      checks,
      replaceChecks: false,
    }
    await this.registerService(command, this.#origin)
  }

  async #syncCheck(id: string): Promise<void> {
    const stored = this.#parts.store.check(id)
    if (stored !== undefined) await this.registerCheck(this.#present(stored.check), this.#origin)
  }

  /** A check's row with its status of this moment, which counts as told from now on. */
  #present(check: CheckDefinition): CheckDefinition {
    const running = this.#parts.runner.get(check.checkId)
    if (running === undefined) return check
    const { status, evidence, output, told } = running.state
    running.state = { ...running.state, told: { ...told, status, evidence, output } }
    return { ...check, status, evidence, output }
  }

  async #tellAll(check: RunningCheck, state: Telling): Promise<void> {
    const { identity, runner } = this.#parts
    const { checkId } = check
    try {
      for (let origin = state.next; origin !== undefined; origin = state.next) {
        state.next = undefined
        if (runner.get(checkId) !== check) return
        const { status, evidence, output } = check.state.told
        const body = { kind: 'update-check', nodeName: identity.nodeName, checkId } as const
        const outcome = await this.#propose({ ...body, status, evidence, output }, origin)
        // Somebody removed it from the catalog; it is in agent.db, so it comes back.
        if (!outcome.ok && runner.get(checkId) === check) await this.#syncCheck(checkId)
      }
      this.#queue.delete(`check:${checkId}`)
    } catch (error) {
      if (runner.get(checkId) === check) this.#failed(`check:${checkId}`, error)
      throw error
    }
  }

  /** Keeps what failed for another attempt, unless no attempt can ever succeed. */
  #failed(key: string, error: unknown): void {
    if (this.#stopped || (error instanceof SvcdError && error.code === 'command-too-large')) return
    // One line for an outage, not one for each registration in it.
    if (this.#queue.size === 0) {
      const fields = { key, reason: reasonOf(error) }
      this.#parts.logger.warn(fields, 'cannot write a change to the catalog; retrying')
    }
    this.#queue.add(key)
  }

  /** Acknowledged indexes are written in groups: they only spare work at the next start. */
  #note(key: string, index: number): void {
    this.#acknowledged.set(key, index)
    if (this.#acknowledged.size >= noteSizeMax) this.#noteAcknowledged()
  }

  #noteAcknowledged(): void {
    if (this.#stopped) return
    for (const [key, index] of this.#acknowledged) {
      const id = key.slice(key.indexOf(':') + 1)
      if (key.startsWith('service:')) this.#parts.store.serviceSynced(id, index)
      else this.#parts.store.checkSynced(id, index)
    }
    this.#acknowledged.clear()
  }
}

function keyOf({ kind, id }: Removal): string {
  return `${kind}:${id}`
}

function removalKey({ kind, id }: Removal): string {
  return `removal:${kind}:${id}`
}
