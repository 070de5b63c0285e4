import { randomBytes } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import { must } from '../base/assert.ts'
import { SvcdError, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { commandBytesMax } from '../state/machine/command.ts'
import { printProposal } from '../state/families.ts'
import type { CommandBody } from '../state/families.ts'
import type { CommandOrigin, Outcome, Proposal } from '../state/machine/command.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { GateFigures } from '../net/connections/gate.ts'
import type { PeerTls } from '../peers/tls.ts'
import { leftBehindError } from './cluster/epoch-fence.ts'
import { DiskWatch } from './disk-watch.ts'
import { packTexts } from './writes/packed-proposals.ts'
import type { ProposalResult } from './writes/proposals.ts'
import { Stamp } from './messages.ts'
import type {
  ClusterStatus,
  FromReplica,
  Operation,
  OperationResult,
  ReplicaSettings,
  ReplicaWorkerData,
  ToReplica,
} from './messages.ts'
import { threadLimits } from '../process/thread-heaps.ts'
import { threadFile } from '../base/package-files.ts'
import { startThread } from '../process/threads.ts'
import type { TickDelays } from './tick-delays.ts'

interface Waiting {
  readonly bytes: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
}

/** Bytes of proposals that may wait for the replica; more are refused as `busy`. */
const waitingBytesMax = 8 * 1024 * 1024
const retryMs = 100
const suspectEveryMs = 1000

export interface ReplicaOptions {
  readonly dataDirectory: string
  readonly settings: ReplicaSettings
  readonly versions: Versions
  readonly logger: Logger
  /** Called when the thread ended although it was not stopped. */
  readonly onDeath: (error: Error) => void
  /** Called after every batch that was applied, if somebody waits for that (`Versions.isAwaited`). */
  readonly onApplied: () => void
  readonly onStatus: (status: ClusterStatus) => void
}

/** The main thread's end of the replica thread: takes proposals, hands back what they came to. */
export class Replica {
  readonly #options: ReplicaOptions
  readonly #worker: Worker
  readonly #stamp = new Stamp()
  readonly #waiting = new Map<number, Waiting>()
  readonly #barriers = new Map<number, (isHeld: boolean) => void>()
  readonly #operations = new Map<number, (result: OperationResult) => void>()
  #waitingBytes = 0
  #unsent: string[] = []
  #stopping = false
  #isStopped = false
  /** Unique to this run of the process; with a counter behind it, ids sort by time. */
  readonly #run = randomBytes(8).toString('hex')
  #requests = 0
  #asked = 0
  #suspectedAtMs = -Infinity
  #heardAtMs = performance.now()
  /** Asked for in this turn of the event loop, and not sent yet. */
  #nextBarrier: Promise<void> | undefined
  readonly #watch: DiskWatch
  #status: ClusterStatus | undefined
  #connections: GateFigures | undefined
  serverPort = 0

  private constructor(options: ReplicaOptions) {
    this.#options = options
    this.#worker = startThread(threadFile('replica/thread'), {
      resourceLimits: threadLimits,
      workerData: {
        dataDirectory: options.dataDirectory,
        versions: options.versions.buffer,
        stamp: this.#stamp.buffer,
        settings: options.settings,
      } satisfies ReplicaWorkerData,
    })
    this.#watch = new DiskWatch(this.#stamp, (forMs) => this.#onStall(forMs))
  }

  /** Resolves when the log is open. Rejects with the error that keeps it from starting. */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options)
    await new Promise<void>((resolve, reject) => {
      replica.#worker.on('error', (error) => {
        reject(error)
        options.onDeath(error)
      })
      replica.#worker.on('exit', () => replica.#onExit())
      replica.#worker.on('message', (message: FromReplica) => {
        replica.#heardAtMs = performance.now()
        if (message.type === 'ready') {
          replica.serverPort = message.serverPort
          replica.#onStatus(message.status)
          resolve()
        } else if (message.type === 'refused') {
          replica.#stopping = true
          replica.#watch.stop()
          void replica.#worker.terminate()
          reject(new SvcdError(message.code, message.message))
        } else replica.#take(message)
      })
    })
    return replica
  }

  /**
   * The connections that others have opened to the port of the servers; undefined before the first
   * status.
   */
  get connections(): GateFigures | undefined {
    return this.#connections
  }

  get status(): ClusterStatus | undefined {
    return this.#status
  }

  /** Milliseconds since this server heard its leader. */
  get contactAgeMs(): number {
    return this.#stamp.contactAgeMs
  }

  /** Of the thread. */
  get heapBytes(): number {
    return this.#stamp.heapBytes
  }

  /** How late the thread's clock rang. */
  get tickDelays(): TickDelays['figures'] {
    return this.#stamp.tickDelays.figures
  }

  /**
   * Whether the thread has reported something within `silenceMs`, as it does every second. A thread that
   * waits for a disk counts as alive: the disk is reported in the log, and DNS still answers.
   */
  isAlive(silenceMs: number): boolean {
    return this.#stamp.writing || performance.now() - this.#heardAtMs < silenceMs
  }

  /** It leads and is a quorum by itself: its own copy holds all that was acknowledged. */
  get isAlone(): boolean {
    return this.#stamp.isAlone
  }

  /**
   * Resolves when committed and applied here. Rejects: no-leader, busy, stopping, command-too-large,
   * write-stalled.
   */
  propose(
    body: CommandBody,
    origin: Pick<CommandOrigin, 'actor' | 'accessor' | 'cause'>,
  ): Promise<Outcome> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    const id = this.#requests++
    const proposal: Proposal = {
      version: 1,
      requestId: `${this.#run}-${id.toString(36).padStart(8, '0')}`,
      actor: origin.actor,
      accessor: origin.accessor,
      cause: origin.cause,
      body,
    }
    const json = printProposal(proposal, this.#status?.usedFormat ?? 0)
    if (json.length > commandBytesMax) {
      this.#requests--
      return Promise.reject(
        svcdError('command-too-large', { size: json.length, max: commandBytesMax }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { bytes: json.length, resolve, reject })
      this.#waitingBytes += json.length
      // One message for all proposals of this turn of the event loop.
      if (this.#unsent.push(json) === 1) setImmediate(() => this.#send())
    })
  }

  /**
   * Resolves when a read made afterwards sees all that was acknowledged before. All who ask within a
   * turn of the event loop share one question. Rejects: no-leader, stopping.
   */
  barrier(): Promise<void> {
    const refusal = this.outOfService()
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#nextBarrier ??= this.#askBarrier()
    return this.#nextBarrier
  }

  async #askBarrier(): Promise<void> {
    const isHeld = await new Promise<boolean>((resolve) => {
      setImmediate(() => {
        this.#nextBarrier = undefined
        if (this.#stopping) return resolve(false)
        const id = this.#asked++
        this.#barriers.set(id, resolve)
        this.#post({ type: 'barrier', id })
      })
    })
    if (!isHeld) throw this.outOfService() ?? svcdError('no-leader', {})
  }

  /** Resolves true as soon as this server has all that its leader had committed, false at its stop. */
  async whenCurrent(): Promise<boolean> {
    for (;;) {
      if (this.#stopping) return false
      try {
        await this.barrier()
        return true
      } catch {
        // No leader yet, or no cluster, which is reported immediately.
        await new Promise((resolve) => {
          setTimeout(resolve, retryMs).unref()
        })
      }
    }
  }

  /** A read of state.db met what looks like damage: has all of it checked, soon and not too often. */
  suspect(reason: string): void {
    const nowMs = performance.now()
    // A reader that meets it once meets it with each packet.
    if (this.#stopping || nowMs - this.#suspectedAtMs < suspectEveryMs) return
    this.#suspectedAtMs = nowMs
    this.#post({ type: 'suspicion', reason })
  }

  /** Other certificates, or whether they are required, for connections with servers from now on. */
  useTls(tls: PeerTls): void {
    this.#post({ type: 'use-tls', tls })
  }

  /** A line of the audit log about a request. Undefined: the request is only counted. */
  audit(line: string | undefined): void {
    if (!this.#isStopped) this.#post({ type: 'audit', line })
  }

  /** A unique ID for a request that is not a command. */
  newRequestId(): string {
    return `${this.#run}-r${(this.#asked++).toString(36).padStart(7, '0')}`
  }

  /** Another program has moved the audit log. */
  reopenAudit(): void {
    if (!this.#isStopped) this.#post({ type: 'reopen-audit' })
  }

  /** Rejects with `operation-refused`, `no-leader` and what else keeps it from being done. */
  async operate(operation: Operation): Promise<string> {
    const id = this.#asked++
    const result = await new Promise<OperationResult>((resolve) => {
      this.#operations.set(id, resolve)
      this.#post({ type: 'operate', id, operation })
    })
    if (result.kind === 'done') return result.value
    throw new SvcdError(result.code, result.message)
  }

  /**
   * Requests without a result by then (usually because there is no leader) are given up: a stop
   * must end.
   */
  giveUpAfter(ms: number): void {
    setTimeout(() => {
      this.#stopping = true
      this.#rejectAll()
    }, ms).unref()
  }

  /** Lets what was proposed finish, closes the databases, ends the thread. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#stopping = true
    this.#send()
    while (this.#waiting.size > 0) await this.#oneSettled()
    const ended = new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve())
    })
    this.#post({ type: 'stop' })
    await ended
    this.#watch.stop()
  }

  #onSettled: (() => void) | undefined

  #oneSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve
    })
  }

  /** Why this server serves no writes and no fresh reads, whatever it waits for. */
  outOfService(): SvcdError | undefined {
    if (this.#stopping) return svcdError('stopping', {})
    const reason = this.#status?.damage
    if (reason !== undefined) return svcdError('state-damaged', { reason })
    const leftBehind = this.#status?.leftBehind
    return leftBehind === undefined ? undefined : leftBehindError(leftBehind)
  }

  #refusal(): SvcdError | undefined {
    const gone = this.outOfService()
    if (gone !== undefined) return gone
    if (this.#waitingBytes > waitingBytesMax) {
      return svcdError('busy', { waiting: this.#waiting.size })
    }
    return undefined
  }

  #post(message: ToReplica, handedOver: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handedOver)
  }

  #send(): void {
    if (this.#unsent.length === 0) return
    const first = this.#requests - this.#unsent.length
    const packed = packTexts(this.#unsent)
    this.#unsent = []
    // Handed over, not copied.
    this.#post({ type: 'propose', first, packed }, [packed.buffer])
  }

  #take(message: FromReplica): void {
    switch (message.type) {
      case 'results':
        this.#settleAll(message)
        this.#options.onApplied()
        return
      case 'applied':
        this.#options.onApplied()
        return
      case 'barrier':
        this.#barriers.get(message.id)?.(message.isHeld)
        this.#barriers.delete(message.id)
        return
      case 'operated':
        this.#operations.get(message.id)?.(message.result)
        this.#operations.delete(message.id)
        return
      case 'status':
        this.#connections = message.connections
        this.#onStatus(message.status)
        return
      case 'log':
        this.#options.logger[message.level](message.fields, message.message)
        return
      case 'ready':
      case 'refused':
        return
    }
  }

  #onStatus(status: ClusterStatus): void {
    this.#status = status
    this.#options.onStatus(status)
  }

  #settleAll({ applied, ids, results }: Extract<FromReplica, { type: 'results' }>): void {
    for (let at = 0; at + 1 < applied.length; at += 2) {
      const outcome = { ok: true, index: must(applied[at + 1]) } as const
      this.#settle(must(applied[at]), { kind: 'applied', outcome })
    }
    for (const [at, id] of ids.entries()) this.#settle(id, results[at])
    this.#onSettled?.()
  }

  #settle(id: number, result: ProposalResult | undefined): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#waitingBytes -= waiting.bytes
    if (result?.kind === 'applied') waiting.resolve(result.outcome)
    else if (result?.kind === 'failed') waiting.reject(new SvcdError(result.code, result.message))
    else waiting.reject(svcdError('no-leader', {}))
  }

  #onStall(forMs: number): void {
    this.#options.logger.error(
      { forMs: Math.round(forMs), waiting: this.#waiting.size },
      'a disk write has not completed',
    )
    const seconds = (forMs / 1000).toFixed(1)
    for (const { reject } of this.#waiting.values()) reject(svcdError('write-stalled', { seconds }))
  }

  #rejectAll(): void {
    const stopping = svcdError('stopping', {})
    for (const { reject } of this.#waiting.values()) reject(stopping)
    this.#waiting.clear()
    for (const settle of this.#barriers.values()) settle(false)
    this.#barriers.clear()
    const { code, message } = stopping
    for (const settle of this.#operations.values()) settle({ kind: 'failed', code, message })
    this.#operations.clear()
    this.#onSettled?.()
  }

  #onExit(): void {
    this.#watch.stop()
    this.#rejectAll()
    if (!this.#stopping) this.#options.onDeath(new Error('the replica thread ended unexpectedly'))
  }
}
