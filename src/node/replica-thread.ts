import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { must } from '../base/assert.ts'
import { SvcdError } from '../base/errors.ts'
import { Versions } from '../catalog/versions.ts'
import { RaftLog } from '../storage/raft-log.ts'
import { StateWriter } from '../storage/state.ts'
import { CommitLoop } from './commit-loop.ts'
import { Stamp } from './replica-messages.ts'
import type { FromReplica, ReplicaWorkerData, ToReplica } from './replica-messages.ts'

// The replica thread: the only writer of raft.db and state.db. Nothing else runs here, so that an
// expensive HTTP query cannot hold up a commit.

/** Proposals in one sync at the most, so that one batch stays within some ten milliseconds. */
const batchMax = 512
/** Quiet time after which the WALs are moved into their files. */
const tidyAfterMs = 500

const port: MessagePort = must(parentPort, 'the replica runs in a worker')
const data = workerData as ReplicaWorkerData

/**
 * A broken invariant or a failed write: say so and die. The whole process goes, at once, because
 * what memory says can no longer be trusted; process.exit() here would end only this thread.
 */
function die(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  writeSync(2, `svcd: fatal in the replica, the process ends: ${text}\n`)
  process.kill(process.pid, 'SIGKILL')
  throw error
}

function post(message: FromReplica): void {
  port.postMessage(message)
}

interface Opened {
  readonly log: RaftLog
  readonly state: StateWriter
  readonly loop: CommitLoop
}

function open(): Opened | undefined {
  try {
    const log = new RaftLog(join(data.dataDirectory, 'raft.db'))
    const state = new StateWriter(join(data.dataDirectory, 'state.db'))
    const loop = new CommitLoop({
      log,
      state,
      versions: new Versions(data.versions),
      stamp: new Stamp(data.stamp),
      wallMs: Date.now,
    })
    return { log, state, loop }
  } catch (error) {
    if (!(error instanceof SvcdError)) die(error)
    post({ type: 'refused', code: error.code, message: error.message })
    return undefined
  }
}

/** Everything that waits on the port, so that one sync serves it all (group commit). */
function drain(first: ToReplica): { proposals: string[]; stop: boolean } {
  const proposals: string[] = []
  let stop = false
  let message: ToReplica | undefined = first
  while (message !== undefined) {
    if (message.type === 'stop') stop = true
    else proposals.push(...message.proposals)
    if (stop || proposals.length >= batchMax) break
    message = receiveMessageOnPort(port)?.message
  }
  return { proposals, stop }
}

function run({ log, state, loop }: Opened): void {
  let tidyTimer: NodeJS.Timeout | undefined
  const onMessage = (first: ToReplica): void => {
    try {
      const { proposals, stop } = drain(first)
      if (proposals.length > 0) post({ type: 'results', outcomes: loop.propose(proposals) })
      if (stop) {
        clearTimeout(tidyTimer)
        state.close()
        log.close()
        port.close()
        return
      }
      tidyTimer ??= setTimeout(tidy, tidyAfterMs)
    } catch (error) {
      die(error)
    }
  }
  const tidy = (): void => {
    tidyTimer = undefined
    try {
      loop.tidy()
    } catch (error) {
      die(error)
    }
  }
  port.on('message', onMessage)
  post({ type: 'ready', appliedIndex: loop.appliedIndex })
}

const opened = open()
if (opened !== undefined) run(opened)
