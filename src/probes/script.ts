import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { formatDuration } from '../base/duration.ts'
import { reasonOf } from '../base/errors.ts'
import { clipOutput } from '../health/check.ts'
import type { CheckStatus } from '../health/check.ts'
import { critical, failedProbe } from './result.ts'
import type { ProbeResult } from './result.ts'
import { ProcessSweeper, killGroup, markVariable } from './process-sweeper.ts'

export interface ScriptProbeRequest {
  /** The command and its arguments; no shell reads them. */
  readonly args: readonly string[]
  readonly timeoutMs: number
}

const sweeper = new ProcessSweeper()

/** How long output may come in after the script itself has ended. */
const drainMs = 500

/**
 * Runs a command once: exit code 0 is passing, 1 warning, all else critical. Its output is read to
 * the end and the last 4 KiB are kept. At the timeout it is killed with all that it started, and
 * the result is not there before they are gone. The rest of its process group is killed after a
 * normal end, too: a check every second must not fill the machine. Never rejects.
 */
export function probeScript(
  request: ScriptProbeRequest,
  signal?: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    new ScriptRun(request, resolve, signal).start()
  })
}

class ScriptRun {
  readonly #request: ScriptProbeRequest
  readonly #resolve: (result: ProbeResult) => void
  readonly #signal: AbortSignal | undefined
  readonly #output = new Tail()
  readonly #mark = randomUUID()
  readonly #onAbort = (): void =>
    this.#kill(() => critical(`${this.#target()}: the probe was stopped`, 'none'))
  #timer: NodeJS.Timeout | undefined
  #child: ChildProcess | undefined
  #isEnding = false

  constructor(
    request: ScriptProbeRequest,
    resolve: (result: ProbeResult) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#request = request
    this.#resolve = resolve
    this.#signal = signal
  }

  start(): void {
    const [command = '', ...args] = this.#request.args
    if (this.#signal?.aborted === true) return this.#onAbort()
    try {
      const child = spawn(command, args, {
        // A session of its own, so that all of it can be killed as a group.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, [markVariable]: this.#mark },
      })
      this.#child = child
      this.#listen(child)
    } catch (error) {
      this.#end(failedProbe(this.#target(), error as NodeJS.ErrnoException))
    }
  }

  #listen(child: ChildProcess): void {
    const { timeoutMs } = this.#request
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#timer = setTimeout(() => {
      this.#kill(() => {
        const late = `Timed out (${formatDuration(timeoutMs)}) running check`
        const text = this.#output.text()
        return critical(text === '' ? late : `${late}\n\n${text}`, 'absence')
      })
    }, timeoutMs)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#output.add(chunk))
      stream?.on('error', () => {})
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) this.#fail(error)
    })
    child.on('exit', (code, name) => this.#onExit(child, code, name))
  }

  #fail(error: NodeJS.ErrnoException): void {
    // "spawn x ENOENT" does not help the author of the check.
    const isMissing = error.code === 'ENOENT'
    const reason = isMissing ? 'command not found' : reasonOf(error)
    if (isMissing || error.code === 'EACCES') {
      return this.#end(critical(`${this.#target()}: ${reason}`, 'proof'))
    }
    this.#end(failedProbe(this.#target(), error))
  }

  #onExit(child: ChildProcess, code: number | null, signalName: NodeJS.Signals | null): void {
    if (child.pid !== undefined) killGroup(child.pid)
    if (this.#isEnding) return
    this.#isEnding = true
    const status: CheckStatus = code === 0 ? 'passing' : code === 1 ? 'warning' : 'critical'
    const finish = (): void => {
      clearTimeout(waiting)
      const text = this.#output.text()
      const ended = signalName === null ? text : `killed by ${signalName}\n\n${text}`.trimEnd()
      this.#end({ status, output: clipOutput(ended), evidence: 'proof' })
    }
    // A process that moved to a session of its own may hold the pipes forever.
    const waiting = setTimeout(finish, drainMs)
    child.once('close', finish)
  }

  #kill(result: () => ProbeResult): void {
    if (this.#isEnding) return
    this.#isEnding = true
    const pid = this.#child?.pid
    if (pid === undefined) return this.#end(result())
    void sweeper.kill(pid, this.#mark).then(() => this.#end(result()))
  }

  #target(): string {
    return `script ${this.#request.args[0] ?? ''}`
  }

  #end(result: ProbeResult): void {
    this.#isEnding = true
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#child?.stdout?.destroy()
    this.#child?.stderr?.destroy()
    this.#resolve(result)
  }
}

const keptBytesMax = 4096

/** The end of a stream of bytes, however long that is. */
class Tail {
  #kept = Buffer.alloc(0)
  #total = 0

  add(chunk: Buffer): void {
    this.#total += chunk.length
    // Copied, so that the chunk it was cut from can go.
    const joined = chunk.length >= keptBytesMax ? chunk : Buffer.concat([this.#kept, chunk])
    this.#kept = Buffer.from(joined.subarray(-keptBytesMax))
  }

  /** All of it, or its last part behind a line that says so; at most 4 KiB together. */
  text(): string {
    if (this.#total <= keptBytesMax) return this.#kept.toString('utf8')
    const head = `Captured the last bytes of ${this.#total}\n...\n`
    const end = this.#kept.subarray(head.length)
    // Not in the middle of a character.
    const from = end.findIndex((byte) => (byte & 0xc0) !== 0x80)
    return head + end.subarray(Math.max(0, from)).toString('utf8')
  }
}
