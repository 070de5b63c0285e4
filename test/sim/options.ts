import { randomBelow, seededRandom } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { defaultLimits } from '../../src/raft/options.ts'
import type { Memory } from './machine.ts'
import type { RaftLimits } from '../../src/raft/options.ts'

/** Everything that a nemesis can do, by the class of the fault. */
export const faultClasses = [
  'loss',
  'duplication',
  'reordering',
  'slow-links',
  'partition',
  'one-way-cut',
  'partial-cut',
  'reset',
  'one-sided-reset',
  'crash',
  'power-loss',
  'torn-write',
  'disk-stall',
  'disk-error',
  'disk-full',
  'clock-drift',
  'pause',
  'churn',
  'transfer',
  'snapshot',
] as const

export type FaultClass = (typeof faultClasses)[number]

/** What one seed expands to. */
export interface SimOptions {
  readonly seed: number
  readonly servers: number
  readonly clients: number
  readonly keys: number
  readonly faultsMs: number
  /** Mean time between two faults. */
  readonly faultEveryMs: number
  readonly faults: ReadonlySet<FaultClass>
  readonly delayMs: number
  readonly lossRate: number
  readonly duplicateRate: number
  /** How a write ends: before `write` returns, later while the server stands still, or beside it. */
  readonly disk: 'instant' | 'blocking' | 'async'
  readonly diskMs: number
  /** Half of a server's clock error at most. */
  readonly driftRate: number
  readonly snapshotEvery: number
  readonly trailing: number
  /** The log is kept for peers that live and lag. */
  readonly isPatient: boolean
  readonly checkpointEvery: number
  /** Followers say less exactly where their log may still match. */
  readonly vagueHints: boolean
  /** Servers that look for each other: how many begin a cluster. */
  readonly expect: number
  /** How long a state machine remembers the requests that it has applied. */
  readonly memory: Memory
  /** The servers have a cluster when they start, or have to find each other. */
  readonly begins: 'founded' | 'apart'
  /** The leader lets learners vote, as its duties say. */
  readonly promotes: boolean
  /** How long a server waits for the answer to a write that it has forwarded. */
  readonly forwardMs: number
  /** How long a server tries to do what it was asked for. */
  readonly holdMs: number
  /** What one server is left with when all other faults end. */
  readonly lasting: 'nothing' | 'cut-off' | 'one-way-cut' | 'hung-disk'
  readonly limits: RaftLimits
}

/**
 * A client asks for one thing again for some seconds, and what it has sent may be on its way for as
 * long: nothing older comes again. A server adds to that what it holds, see `holdMs`.
 */
const rememberMs = 14_000

/** Swarm testing: each seed has its own few faults, since all of them at once hide each other. */
export function optionsOf(seed: number): SimOptions {
  const random = seededRandom(seed)
  const chance = (rate: number) => random() < rate
  const pick = <T>(values: readonly [T, ...T[]]): T =>
    values[randomBelow(random, values.length)] ?? values[0]
  const servers = pick([1, 2, 3, 3, 3, 3, 4, 5, 5])
  const density = pick([0.2, 0.45, 0.7])
  const holdMs = pick([800, 2500, 7000])
  const faults = new Set(faultClasses.filter(() => chance(density)))
  return {
    seed,
    servers,
    // With more of them than are needed two halves may want to begin one each.
    expect: servers > 3 && chance(0.7) ? 3 : servers,
    clients: pick([2, 4, 6]),
    keys: pick([1, 2, 3]),
    faultsMs: pick([6000, 10_000, 16_000]),
    faultEveryMs: pick([150, 400, 1000]),
    faults,
    delayMs: pick([0.5, 2, 10, 30]),
    lossRate: faults.has('loss') ? pick([0.01, 0.05, 0.2]) : 0,
    duplicateRate: faults.has('duplication') ? pick([0.01, 0.1]) : 0,
    disk: pick(['instant', 'blocking', 'async', 'async']),
    diskMs: pick([0.2, 1, 5, 20]),
    driftRate: faults.has('clock-drift') ? pick([0.01, 0.1, 0.25]) : 0,
    snapshotEvery: faults.has('snapshot') ? pick([3, 10, 30]) : Infinity,
    trailing: pick([0, 2, 10]),
    isPatient: chance(0.3),
    checkpointEvery: pick([1, 5, 20]),
    vagueHints: chance(0.3),
    memory: { entries: pick([5, 50]), ms: rememberMs + 2 * holdMs, entriesMax: 5000, every: 8 },
    begins: chance(0.2) ? 'apart' : 'founded',
    promotes: chance(0.5),
    forwardMs: Math.round(holdMs * 0.7),
    holdMs,
    lasting: pick(['nothing', 'cut-off', 'one-way-cut', 'hung-disk']),
    limits: limitsOf(random),
  }
}

/** Small limits half of the time, so that their edges are met. */
function limitsOf(random: Random): RaftLimits {
  const small = (value: number, otherwise: number) => (random() < 0.5 ? value : otherwise)
  // With short time-outs there are more elections to the hour.
  const isHasty = random() < 0.5
  return {
    ...defaultLimits,
    electionTicks: isHasty ? 4 : defaultLimits.electionTicks,
    heartbeatTicks: isHasty ? 1 : defaultLimits.heartbeatTicks,
    appendBytesMax: small(200, defaultLimits.appendBytesMax),
    inflightMessagesMax: small(2, defaultLimits.inflightMessagesMax),
    inflightBytesMax: small(400, defaultLimits.inflightBytesMax),
    uncommittedEntriesMax: small(20, defaultLimits.uncommittedEntriesMax),
    applyBytesMax: small(150, defaultLimits.applyBytesMax),
    cacheBytesMax: small(300, defaultLimits.cacheBytesMax),
    pendingReadsMax: small(3, defaultLimits.pendingReadsMax),
  }
}

/** The longest that an election takes to begin, by the slowest clock. */
export function electionMsOf({ limits, driftRate }: SimOptions): number {
  return 2 * limits.electionTicks * 50 * (1 + driftRate)
}

/** One line that says what a seed switched on. */
export function describeOptions(options: SimOptions): string {
  const { servers, clients, keys, disk, diskMs, delayMs, lasting } = options
  const faults = options.faults.size === 0 ? 'no faults' : [...options.faults].join(' ')
  return (
    `seed ${options.seed}: ${servers} servers, ${clients} clients, ${keys} keys, disk ${disk} ` +
    `${diskMs} ms, net ${delayMs} ms, lasting ${lasting}; ${faults}`
  )
}
