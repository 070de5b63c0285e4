import { must } from '../../src/base/assert.ts'
import { randomBelow } from '../../src/base/random.ts'
import { isMember, members } from '../../src/raft/config.ts'
import type { Config } from '../../src/raft/config.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import { majority } from '../../src/raft/quorum.ts'
import type { RaftState } from '../../src/raft/state.ts'
import { longAttemptMs } from './client.ts'
import { Violation } from './ledger.ts'
import { Nemesis } from './nemesis.ts'
import { electionMsOf, optionsOf } from './options.ts'
import type { FaultClass, SimOptions } from './options.ts'
import { World } from './world.ts'
import type { Mutant, SimNode } from './node.ts'

export interface SimResult {
  readonly options: SimOptions
  /** Undefined when all went well. */
  readonly failure: { readonly kind: 'violation' | 'liveness'; readonly claim: string } | undefined
  /** Where the run ended: equal for equal runs. */
  readonly atMs: number
  readonly events: number
  readonly operations: number
  readonly entries: number
  readonly terms: number
  readonly struck: ReadonlyMap<FaultClass | 'burst', number>
  readonly lines: readonly string[]
}

/** Beyond the times that a write is held and forwarded for: pauses, slow links, the wait until it shows. */
const unansweredMs = 6000

class Stuck extends Error {
  override name = 'Stuck'
}

/** A seed whose clients use registers: faults, then none of them (liveness), then the judgement of the history. */
export async function runSeed(
  seed: number,
  extra: { mutant?: Mutant | undefined; isTracing?: boolean } = {},
): Promise<SimResult> {
  return runWorld(new World(optionsOf(seed), extra))
}

export async function runWorld(world: World): Promise<SimResult> {
  const { options } = world
  const nemesis = new Nemesis(world)
  let failure: SimResult['failure']
  try {
    world.begin()
    nemesis.begin()
    await world.runUntil(options.faultsMs)
    await recover(world)
    await world.runUntil(world.nowMs + (world.workload.settleMs ?? 0))
    world.workload.judge(world)
  } catch (error) {
    if (error instanceof Violation) failure = { kind: 'violation', claim: error.message }
    else if (error instanceof Stuck) failure = { kind: 'liveness', claim: error.message }
    else throw error
  }
  return {
    options,
    failure,
    atMs: world.nowMs,
    events: world.eventCount,
    operations: world.workload.operations,
    entries: world.ledger.commitIndex,
    terms: world.ledger.leaders.size,
    struck: nemesis.struck,
    lines: world.lines,
  }
}

/**
 * All faults end but those of one server, without which there is a quorum. Within ten election time-outs there is
 * a leader whom all follow, all clients have their answers, and after that the terms stand still.
 */
async function recover(world: World): Promise<void> {
  const { network, nodes } = world
  world.isFaulty = false
  network.heal()
  for (const node of nodes.values()) {
    node.disk.heal()
    if (!node.isUp) node.start()
    else node.pause(0)
  }
  const victim = harmForGood(world)
  world.trace(() => 'all faults end')
  const startMs = world.nowMs
  // The longest of all, by the slowest clock.
  const electionTimeoutMs = electionMsOf(world.options)
  // Until the last client has given up what it asked for during the faults.
  await world.runUntil(startMs + longAttemptMs)
  world.isClosing = true
  let reason = unsettled(world, victim)
  let deadlineMs = startMs + longAttemptMs + 10 * electionTimeoutMs
  // Servers that look for each other wait for answers that were lost, and then try again.
  if (!isFounded(world)) deadlineMs += 12_000
  for (let before = headway(world); reason !== undefined;) {
    if (world.nowMs > deadlineMs) throw new Stuck(reason)
    await world.runUntil(world.nowMs + 200)
    reason = unsettled(world, victim)
    const now = headway(world)
    if (isAhead(now, before)) deadlineMs += 200
    before = now
  }
  const term = highestTerm(world)
  await world.runUntil(world.nowMs + 2 * electionTimeoutMs)
  // A late heartbeat may let one ask for votes, in vain; it must be back at once, in the same term.
  reason = unsettled(world, victim)
  const backMs = world.nowMs + electionTimeoutMs
  for (; reason !== undefined && world.nowMs < backMs; reason = unsettled(world, victim)) {
    await world.runUntil(world.nowMs + 50)
  }
  if (reason !== undefined) throw new Stuck(`later: ${reason}`)
  const now = highestTerm(world)
  if (now !== term) throw new Stuck(`the term grew from ${term} to ${now}`)
}

function isFounded(world: World): boolean {
  return [...world.nodes.values()].every(
    (node) => !node.isUp || node.driver !== undefined || !canFind(world, node),
  )
}

/**
 * A server that looks for its cluster finds it through those whom it was told of, or, when it is let in
 * already, through those that dial it. When all of the former were removed nobody can tell it anything:
 * an operator has to name another one.
 */
function canFind({ ledger: { config } }: World, { id, knows }: SimNode): boolean {
  return config === undefined || [id, ...knows].some((one) => isMember(config, one))
}

/** Undefined when the cluster is at rest and agrees; otherwise what is missing. */
function unsettled(world: World, victim: NodeId | undefined): string | undefined {
  if (!isFounded(world)) return 'a server has no cluster'
  const { holdMs, forwardMs } = world.options
  for (const { id, replica } of world.nodes.values()) {
    // What a server was asked for it answers, if only that it could not be done.
    const sinceMs = world.nowMs - holdMs - forwardMs - unansweredMs
    for (const { atMs } of id === victim ? [] : (replica?.writing ?? [])) {
      if (atMs < sinceMs) return `${id} has not answered a write for ${holdMs + forwardMs} ms`
    }
  }
  if (world.clients.some((client) => client.isWaiting)) return 'a client waits for an answer'
  // A thread that hangs in a write holds itself for anything; it says nothing, so it does no harm.
  const [leader, ...others] = world.leaders().filter((node) => !node.isStill)
  if (leader === undefined) return 'there is no leader'
  if (others.length > 0) return `${others.map(({ id }) => id).join()} holds itself for the leader`
  const { state } = must(leader.driver).raft
  const { commit, lastIndex } = state.log
  if (commit !== lastIndex) return `${leader.id} has committed ${commit} of ${lastIndex}`
  for (const id of members(state.config)) {
    const { network } = world
    if (id === victim || network.isCut(leader.id, id) || network.isCut(id, leader.id)) continue
    const node = must(world.nodes.get(id), `member ${id} exists`)
    if (node.driver === undefined) return `${id} is not up`
    const its = node.driver.raft.state
    if (its.leader !== leader.id) return `${id} follows ${its.leader}, not ${leader.id}`
    if (its.log.applied !== commit) return `${id} has applied ${its.log.applied} of ${commit}`
  }
  return undefined
}

/** The shape of Cloudflare's outage of 2020: one server half reachable, for good. */
function harmForGood(world: World): NodeId | undefined {
  const { options, nodes, network, random } = world
  const configs = [...nodes.values()].flatMap(({ driver }) =>
    driver === undefined ? [] : configsOf(driver.raft.state),
  )
  const all = [...nodes.keys()].filter((id) => configs.every(({ voters }) => voters.includes(id)))
  // Whichever configuration wins, without the victim those who vote in all of them are a quorum of it: then
  // the one with the newest log can be elected. A server that votes in one and learns in another may have the
  // newest log of all; it refuses the others its vote, and cannot campaign.
  const isSafe = configs.every(
    ({ voters }) =>
      voters.length === 0 || (voters.length >= 3 && all.length - 1 >= majority(voters.length)),
  )
  if (options.lasting === 'nothing' || !isFounded(world) || all.length < 3 || !isSafe)
    return undefined
  const leader = world.leaders()[0]
  const isLeader = leader !== undefined && all.includes(leader.id) && random() < 0.5
  const victim = isLeader ? leader.id : must(all[randomBelow(random, all.length)])
  // Given up after an election time-out, for it can not come about.
  if (options.faults.has('transfer')) leader?.act(({ raft }) => void raft.transfer(victim))
  const others: NodeId[] = [...nodes.keys()].filter((id) => id !== victim)
  if (options.lasting === 'cut-off') {
    for (const id of others) {
      network.cut(victim, id)
      network.cut(id, victim)
    }
  } else if (options.lasting === 'one-way-cut') {
    network.cut(victim, must(others[randomBelow(random, others.length)]))
    return undefined
  } else {
    must(nodes.get(victim)).disk.stallMs = Infinity
  }
  return victim
}

/** Those that are in force or may come into force. */
function configsOf({ configs, log }: RaftState): Config[] {
  return configs.since(log.commit).map(({ config }) => config)
}

/** How far the servers are together. */
interface Headway {
  readonly applied: number
  /** Of the newest leader, and how much of its log the others hold as far as it knows. */
  readonly term: number
  readonly matched: number
}

/**
 * With the smallest limits each entry takes a round trip, and a new leader commits nothing of the hundreds
 * that were never committed before all of them, and one of its own term, are on a quorum (§5.4.2). What is
 * bounded is therefore the time in which nothing comes nearer: neither is anything applied, nor does
 * anybody take entries of the leader.
 */
function headway(world: World): Headway {
  const applied = [...world.nodes.values()].reduce((sum, { machine }) => {
    return sum + machine.appliedIndex()
  }, 0)
  const [leader] = world.leaders()
  if (leader === undefined) return { applied, term: 0, matched: 0 }
  const { term, progress } = must(leader.driver).raft.state
  const matched = [...progress.values()].reduce((sum, { match }) => sum + match, 0)
  return { applied, term, matched }
}

function isAhead(now: Headway, before: Headway): boolean {
  return now.applied > before.applied || (now.term === before.term && now.matched > before.matched)
}

function highestTerm(world: World): number {
  return Math.max(...[...world.nodes.values()].map((node) => node.driver?.raft.state.term ?? 0))
}
