import { must } from '../../src/base/assert.ts'
import { randomBelow, seededRandom } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { isVoter } from '../../src/raft/config.ts'
import type { Entry } from '../../src/raft/entry.ts'
import { entryCrc, entryOf, headColumns, headOf, kindNumber } from '../../src/storage/log/rows.ts'
import type { LogHead, LogRow, StateRow } from '../../src/storage/log/rows.ts'
import type { SimDisk } from './disk.ts'
import { check } from './ledger.ts'
import type { SimNode } from './node.ts'
import { optionsOf } from './options.ts'
import type { SimOptions } from './options.ts'
import { World } from './world.ts'

const flips = 4
const replacedMs = 20_000

export interface FlipsResult {
  readonly failure: string | undefined
  readonly refused: number
  readonly lines: readonly string[]
}

/**
 * A bit of a stopped server's log turns over, at the most one server at a time. It does not start with
 * that: an operator removes it, and an empty one takes its place. `trusts`: a server that checks no sums.
 */
export async function runFlips(
  seed: number,
  extra: { trusts?: boolean; isTracing?: boolean } = {},
): Promise<FlipsResult> {
  const random = seededRandom(seed ^ 0xf11b)
  const world = new World(flipOptions(seed, random), { isTracing: extra.isTracing === true })
  const scene = new Flips(world, random, extra.trusts === true)
  let failure: string | undefined
  try {
    await scene.run()
  } catch (error) {
    // What a server does with damaged bytes may be anything.
    failure = error instanceof Error ? error.message : String(error)
  }
  return { failure, refused: scene.refused, lines: world.lines }
}

function flipOptions(seed: number, random: Random): SimOptions {
  const servers = random() < 0.7 ? 3 : 5
  const calm = { faults: new Set(['power-loss'] as const), lossRate: 0, duplicateRate: 0 }
  const base = { servers, expect: servers, begins: 'founded', promotes: true } as const
  const rates = { driftRate: 0, snapshotEvery: Infinity, delayMs: 2, diskMs: 1 }
  return { ...optionsOf(seed), ...calm, ...base, ...rates }
}

class Flips {
  readonly #world: World
  readonly #random: Random
  readonly #trusts: boolean
  refused = 0

  constructor(world: World, random: Random, trusts: boolean) {
    this.#world = world
    this.#random = random
    this.#trusts = trusts
  }

  async run(): Promise<void> {
    const world = this.#world
    world.begin()
    for (let flip = 0; flip < flips; flip++) {
      await this.#for(400 + this.#random() * 1500)
      await this.#strike()
    }
    world.isFaulty = false
    world.isClosing = true
    await this.#for(5000)
    world.workload.judge(world)
  }

  #for(ms: number): Promise<void> {
    return this.#world.runUntil(this.#world.nowMs + ms)
  }

  async #strike(): Promise<void> {
    const all = [...this.#world.nodes.values()]
    const victim = must(all[randomBelow(this.#random, all.length)])
    victim.crash('lost', this.#random() < 0.5)
    const { rows, head } = flipped(rowsOf(victim.disk), this.#random)
    await this.#for(this.#random() * 600)
    const opened = this.#open(rows, head)
    if (opened === undefined) {
      this.refused++
      this.#world.trace(() => `${victim.id} refuses to start`)
      return this.#replace(victim)
    }
    victim.disk.log = opened.entries
    victim.disk.hardState = opened.head.hardState
    victim.start()
  }

  /** As RaftLog opens its file: undefined when a sum does not fit. */
  #open(rows: readonly LogRow[], head: StateRow): { entries: Entry[]; head: LogHead } | undefined {
    const isTrusted = this.#trusts
    const itsHead = headOf(isTrusted ? { ...head, crc: headColumns(headIn(head))[6] } : head)
    const entries = rows.map((row) => {
      const { idx, term, kind, data } = row
      return entryOf(isTrusted ? { ...row, crc: entryCrc(idx, term, kind, data) } : row)
    })
    if (itsHead === undefined || entries.includes(undefined)) return undefined
    return { entries: entries.flatMap((entry) => entry ?? []), head: itsHead }
  }

  async #replace(victim: SimNode): Promise<void> {
    const { nodes } = this.#world
    nodes.delete(victim.id)
    const deadlineMs = this.#world.nowMs + replacedMs
    const isDone = (done: (leader: SimNode) => boolean): boolean => {
      const leader = this.#world.leaders().at(0)
      return leader !== undefined && done(leader)
    }
    const isRemoved = (leader: SimNode): boolean => {
      const { config, log, configs } = must(leader.driver).raft.state
      return !isVoter(config, victim.id) && configs.latest.index <= log.commit
    }
    while (!isDone(isRemoved)) {
      check(this.#world.nowMs < deadlineMs, `${victim.id} cannot be removed`)
      const leader = this.#world.leaders().at(0)
      leader?.act(({ raft }) => void raft.proposeConfChange({ kind: 'remove', id: victim.id }))
      await this.#for(200)
    }
    const fresh = this.#world.addEmpty([...nodes.keys()])
    fresh.start()
    const isVoting = (leader: SimNode): boolean => {
      return isVoter(must(leader.driver).raft.state.config, fresh.id)
    }
    while (!isDone(isVoting)) {
      check(this.#world.nowMs < deadlineMs, `${fresh.id} does not come into the cluster`)
      await this.#for(200)
    }
  }
}

function rowsOf({ log, hardState, base, lastIndex }: SimDisk): { rows: LogRow[]; head: StateRow } {
  const rows = log.map(({ index, term, kind, data }) => {
    const number = kindNumber(kind)
    const crc = entryCrc(index, term, number, data)
    return { idx: index, term, kind: number, crc, data: Buffer.from(data) }
  })
  const columns = headColumns({ hardState, base, lastIndex })
  const [term, vote, commit, baseIndex, baseTerm, last, crc] = columns
  const places = { base_index: baseIndex, base_term: baseTerm, last_index: last }
  return { rows, head: { term, vote, commit_index: commit, ...places, crc } }
}

function headIn(row: StateRow): LogHead {
  return {
    hardState: { term: row.term, vote: row.vote ?? undefined, commit: row.commit_index },
    base: { index: row.base_index, term: row.base_term },
    lastIndex: row.last_index,
  }
}

/** One bit of it is another: of an entry's data or term, or of the row of term, vote and commit. */
function flipped(
  { rows, head }: { rows: LogRow[]; head: StateRow },
  random: Random,
): { rows: LogRow[]; head: StateRow } {
  const at = randomBelow(random, rows.length)
  const row = must(rows[at])
  const bit = 1 << randomBelow(random, 3)
  const chance = random()
  if (chance < 0.6 && row.data.length > 0) {
    const data = Buffer.from(row.data)
    const byte = randomBelow(random, data.length)
    data[byte] = must(data[byte]) ^ bit
    return { rows: rows.with(at, { ...row, data }), head }
  }
  if (chance < 0.75) return { rows: rows.with(at, { ...row, term: row.term ^ bit }), head }
  if (chance < 0.9 || head.vote === null) return { rows, head: { ...head, term: head.term ^ bit } }
  const last = head.vote.charCodeAt(head.vote.length - 1) ^ bit
  return { rows, head: { ...head, vote: head.vote.slice(0, -1) + String.fromCharCode(last) } }
}
