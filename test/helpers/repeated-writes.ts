import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import type { PatroniMember } from './patroni-member.ts'

const statement =
  'INSERT INTO writes VALUES (clock_timestamp()) RETURNING (extract(epoch FROM at) * 1000)::bigint'

/** A client of PostgreSQL that writes all the time, over one connection, until a write fails. */
export class RepeatedWrites {
  readonly ended: Promise<unknown>
  /** Of the writes that were committed. */
  count = 0
  /** The clock of the machine at the last commit; 0: none yet. */
  lastMs = 0
  /** The longest time between two of them. */
  gapMs = 0
  readonly #child: ChildProcess

  /** Stopped when the test ends. */
  constructor(t: Pick<Test, 'teardown'>, member: PatroniMember) {
    this.#child = member.repeat(statement)
    this.ended = once(this.#child, 'close')
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) {
        if (/^\d{13}$/.test(line)) this.#took(Number(line))
      }
    })
    t.teardown(() => this.stop())
  }

  /** None has failed. */
  get goOn(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }

  #took(atMs: number): void {
    this.count++
    if (this.lastMs > 0) this.gapMs = Math.max(this.gapMs, atMs - this.lastMs)
    this.lastMs = atMs
  }
}
