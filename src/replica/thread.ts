import { writeSync } from 'node:fs'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { must } from '../base/assert.ts'
import { SvcdError, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { failureOf } from './writes/operations.ts'
import { openVersions } from '../state/families.ts'
import { isPlain } from '../state/machine/command.ts'
import { unpackProposals } from './writes/packed-proposals.ts'
import { failureBy } from './writes/proposals.ts'
import type { ProposalResult } from './writes/proposals.ts'
import { ReplicaServer } from './server.ts'
import { TidyTime } from './tidy-time.ts'
import type { FromReplica, ReplicaWorkerData, ToReplica } from './messages.ts'
import { holdMainHeap } from '../process/young-generation.ts'

// The replica thread: the only writer of raft.db and state.db. Nothing else runs here, so that an
// expensive HTTP query cannot hold up a commit or cost leadership.

const statusMs = 1000
/** Messages taken from the port in one turn. */
const drainMax = 64

const port: MessagePort = must(parentPort, 'the replica runs in a worker')
holdMainHeap()
const data = workerData as ReplicaWorkerData
const versions = openVersions(data.versions)

/**
 * A broken invariant or a failed write: report it and end. The whole process ends immediately,
 * because its memory can no longer be trusted; process.exit() here would end only this thread.
 */
function die(error: unknown): never {
  const text =
    error instanceof SvcdError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error)
  writeSync(2, `svcd: fatal error in the replica thread; the process exits: ${text}\n`)
  process.kill(process.pid, 'SIGKILL')
  throw error
}

function guard(work: () => void): void {
  try {
    work()
  } catch (error) {
    die(error)
  }
}

function post(message: FromReplica): void {
  port.postMessage(message)
}

function logAt(level: 'debug' | 'info' | 'warn' | 'error'): Logger['info'] {
  return (fields, message) => post({ type: 'log', level, fields, message })
}

const logger: Logger = {
  debug: logAt('debug'),
  info: logAt('info'),
  warn: logAt('warn'),
  error: logAt('error'),
}

/** The port's side of a replica server: the requests of the main thread, and the answers. */
class Desk {
  readonly #server: ReplicaServer
  /** Results gather during a turn and leave together. */
  #appliedPairs: number[] = []
  #ids: number[] = []
  #results: ProposalResult[] = []
  #applied = 0
  #statusKey = ''
  readonly #tidyTime = new TidyTime()
  #tidyTimer: NodeJS.Timeout | undefined
  readonly #statusTimer: NodeJS.Timeout
  #isFlushing = false
  #isStopping = false

  constructor(server: ReplicaServer) {
    this.#server = server
    // How far each server is changes with every entry; operators see it once a second.
    this.#statusTimer = setInterval(() => this.#postStatus(), statusMs)
  }

  /** Everything that waits on the port, so that one sync serves it all (group commit). */
  receive(first: ToReplica): void {
    let message: ToReplica | undefined = first
    for (let count = 0; message !== undefined && count < drainMax; count++) {
      this.#take(message)
      message = receiveMessageOnPort(port)?.message as ToReplica | undefined
    }
    if (message !== undefined) this.#take(message)
    this.#server.raft?.turn()
    this.#tidyTime.touched(performance.now())
    this.#tidyLater()
  }

  /** After each turn of the server: versions were bumped, or the cluster has changed. */
  onTurn(): void {
    const applied = this.#server.raft?.appliedIndex ?? 0
    if (applied !== this.#applied) {
      this.#applied = applied
      this.#flushSoon()
    }
    const key = this.#server.statusKey()
    if (key === this.#statusKey) return
    this.#statusKey = key
    this.#postStatus()
  }

  #postStatus(): void {
    const { connections } = this.#server
    post({ type: 'status', status: this.#server.status(), connections })
  }

  #take(message: ToReplica): void {
    switch (message.type) {
      case 'propose':
        this.#propose(message.first, message.packed)
        return
      case 'barrier':
        void this.#barrier(message.id)
        return
      case 'operate':
        this.#server.operations.run(message.operation).then(
          (value) => {
            post({ type: 'operated', id: message.id, result: { kind: 'done', value } })
            return undefined
          },
          (error: unknown) => {
            const result = { kind: 'failed', ...failureOf(error) } as const
            post({ type: 'operated', id: message.id, result })
          },
        )
        return
      case 'suspicion':
        this.#server.suspect(message.reason)
        return
      case 'use-tls':
        this.#server.useTls(message.tls)
        return
      case 'audit':
        this.#server.audit?.request(message.line)
        return
      case 'reopen-audit':
        this.#server.audit?.reopen()
        return
      case 'stop':
        this.#isStopping = true
        clearTimeout(this.#tidyTimer)
        clearInterval(this.#statusTimer)
        setImmediate(() => void this.#stop())
        return
    }
  }

  #propose(first: number, packed: Uint8Array): void {
    const proposals = must(unpackProposals(packed), 'main has packed them')
    const { raft } = this.#server
    for (const [at, bytes] of proposals.entries()) {
      const id = first + at
      if (raft === undefined) this.#settle(id, noLeader)
      else raft.propose({ bytes }, true, (result) => this.#settle(id, result))
    }
  }

  #settle(id: number, result: ProposalResult): void {
    if (result.kind === 'applied' && isPlain(result.outcome)) {
      this.#appliedPairs.push(id, result.outcome.index)
    } else {
      this.#ids.push(id)
      this.#results.push(result)
    }
    this.#flushSoon()
  }

  /** After the turn, when everything it brought is known. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => {
      this.#isFlushing = false
      const applied = this.#appliedPairs
      const ids = this.#ids
      if (applied.length + ids.length > 0)
        post({ type: 'results', applied, ids, results: this.#results })
      else if (versions.isAwaited) post({ type: 'applied' })
      this.#appliedPairs = []
      this.#ids = []
      this.#results = []
    })
  }

  async #barrier(id: number): Promise<void> {
    const isHeld = (await this.#server.raft?.readBarrier()) ?? false
    post({ type: 'barrier', id, isHeld })
  }

  #tidyLater(): void {
    // The message to stop is received too, and nothing may be tidied once the files are closed.
    if (this.#isStopping || this.#tidyTimer !== undefined) return
    const waitMs = this.#tidyTime.waitMs(performance.now())
    this.#tidyTimer = setTimeout(() => this.#tidy(), Math.max(1, waitMs))
  }

  #tidy(): void {
    this.#tidyTimer = undefined
    if (this.#tidyTime.waitMs(performance.now()) > 0) return this.#tidyLater()
    this.#tidyTime.tidied()
    guard(() => {
      if (this.#server.tidy()) return
      this.#tidyTime.touched(performance.now())
      this.#tidyLater()
    })
  }

  async #stop(): Promise<void> {
    await this.#server.stop()
    port.close()
  }
}

const noLeader = failureBy(svcdError('no-leader', {}))

async function open(): Promise<void> {
  let desk: Desk | undefined
  const server = new ReplicaServer({ ...data, logger, guard, onTurn: () => desk?.onTurn() })
  desk = new Desk(server)
  await server.start()
  const it = desk
  port.on('message', (message: ToReplica) => guard(() => it.receive(message)))
  post({ type: 'ready', status: server.status(), serverPort: server.serverPort })
}

try {
  await open()
} catch (error) {
  if (!(error instanceof SvcdError)) die(error)
  post({ type: 'refused', code: error.code, message: error.message })
}
