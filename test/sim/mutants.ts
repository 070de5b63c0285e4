/* oxlint-disable max-lines -- one table: a row a mutant */
import { must } from '../../src/base/assert.ts'
import type { Pledge } from '../../src/node/cluster-formation.ts'
import type { RaftServer } from '../../src/node/raft-server.ts'
import { emptyConfig } from '../../src/raft/config.ts'
import type { Driver } from '../../src/raft/driver.ts'
import { RaftLog } from '../../src/raft/log.ts'
import type { Message } from '../../src/raft/message.ts'
import type { Raft } from '../../src/raft/raft.ts'
import type { LogWrite } from '../../src/raft/storage.ts'
import { SimMachine } from './machine.ts'
import type { Mutant, SimNode } from './node.ts'
import type { SimReplica } from './replica.ts'

/** A rule of the core is replaced on one instance, from outside: the core has no switch for it. */
function core(
  name: string,
  about: string,
  change: (raft: Raft, driver: Driver, node: SimNode) => void,
): Mutant {
  return {
    name,
    about,
    afterBoot: (node) => {
      const driver = must(node.driver)
      change(driver.raft, driver, node)
    },
  }
}

/** A rule of what stands around the core, in one process. */
function process(
  name: string,
  about: string,
  onStart: (node: SimNode, replica: SimReplica) => void,
): Mutant {
  return { name, about, onStart }
}

function onDuty(replica: SimReplica, check: (server: RaftServer) => void): void {
  replica.checkDuties = () => {
    if (replica.raft?.isLeader === true) check(replica.raft)
  }
}

function server(name: string, about: string, beforeBoot: (node: SimNode) => void): Mutant {
  return { name, about, beforeBoot }
}

/** The driver sends what `isEarly` picks without waiting for the disk. */
function sendEarly(driver: Driver, isEarly: (message: Message) => boolean): void {
  const process = driver.process.bind(driver)
  driver.process = (ready) => {
    const early = ready.messagesAfterWrite.filter(isEarly)
    const late = ready.messagesAfterWrite.filter((message) => !isEarly(message))
    process({ ...ready, messages: [...ready.messages, ...early], messagesAfterWrite: late })
  }
}

/** The log hands out what is committed up to `limit`, whether it is durable or not. */
function applyUpTo(log: RaftLog, limit: () => number): void {
  log.takeCommitted = (maxBytes) => {
    const to = Math.min(log.commit, limit())
    if (log.isRestoring || to <= log.applied) return []
    return log.entries(log.applied + 1, to, maxBytes)
  }
}

const votes: readonly Mutant[] = [
  core('vote-before-sync', '§5.2: a vote is on disk before it is sent', (_raft, driver) => {
    sendEarly(driver, ({ type }) => type === 'vote-response')
  }),
  core('vote-twice', '§5.2: one vote in a term', ({ election }) => {
    election.canVoteFor = () => true
  }),
  server('vote-forgotten', '§5.1: the vote survives a restart', ({ disk }) => {
    disk.hardState = { ...disk.hardState, vote: undefined }
  }),
  server('term-forgotten', '§5.1: the term survives a restart', ({ disk }) => {
    const term = Math.max(1, disk.hardState.term - 1)
    disk.hardState = { ...disk.hardState, term, vote: undefined }
  }),
  core(
    'up-to-date-by-index',
    '§5.4.1: the last terms are compared first',
    ({ election, state }) => {
      election.isUpToDate = ({ lastIndex }) => lastIndex >= state.log.lastIndex
    },
  ),
  core(
    'up-to-date-ignored',
    '§5.4.1: a vote is refused to a log that lacks entries',
    ({ election }) => {
      election.isUpToDate = () => true
    },
  ),
  core(
    'own-vote-before-sync',
    '§5.2: a candidate counts itself once its vote is on disk',
    (raft) => {
      const campaign = raft.election.campaign.bind(raft.election)
      raft.election.campaign = (kind) => {
        campaign(kind)
        const { state } = raft
        if (state.role === 'candidate') {
          state.durable = { ...state.durable, term: state.term, vote: state.id }
          raft.election.voteForSelf()
        }
      }
    },
  ),
]

const replication: readonly Mutant[] = [
  core(
    'acknowledge-before-sync',
    '§5.3: entries are on disk before they are acknowledged',
    (_raft, driver) => {
      sendEarly(driver, ({ type }) => type === 'append-response')
    },
  ),
  core(
    'count-own-unsynced',
    '§5.3: a leader counts its own disk, not its memory',
    ({ replication, state }) => {
      const matchOf = replication.matchOf.bind(replication)
      replication.matchOf = (id) => (id === state.id ? state.log.lastIndex : matchOf(id))
    },
  ),
  core('count-old-term', '§5.4.2: only entries of the own term are counted', ({ replication }) => {
    replication.isOwnTerm = () => true
  }),
  core('no-noop', '§8: a leader opens its term with an entry', ({ state }) => {
    state.openTerm = () => {
      state.termStart = 0
    }
  }),
  core(
    'consistency-by-index',
    '§5.3: the entry before must have the same term',
    ({ follower, state }) => {
      follower.isConsistent = ({ prevIndex }) => prevIndex <= state.log.lastIndex
    },
  ),
  core(
    'conflict-kept',
    '§5.3: a conflicting entry and all behind it are deleted',
    ({ state: { log } }) => {
      log.merge = (entries) => {
        const added = entries.filter((entry) => entry.index > log.lastIndex)
        log.append(added)
        return { added, cutFrom: undefined }
      }
    },
  ),
  core('cut-without-conflict', '§5.3: a short old message cuts nothing', ({ state: { log } }) => {
    log.merge = (entries) => {
      const first = entries[0]
      if (first === undefined) return { added: [], cutFrom: undefined }
      const cutFrom = first.index <= log.lastIndex ? first.index : undefined
      if (cutFrom !== undefined) log.truncateFrom(cutFrom)
      log.append(entries)
      return { added: entries, cutFrom }
    }
  }),
  core(
    'heartbeat-beyond-match',
    '§5.3: a heartbeat commits only what is known to match',
    ({ replication, state, follower }) => {
      replication.commitFor = () => state.log.commit
      const handle = follower.handleHeartbeat.bind(follower)
      follower.handleHeartbeat = (message) =>
        handle({ ...message, commit: Math.min(message.commit, state.log.lastIndex) })
    },
  ),
  core('lower-term-taken', '§5.1: a message of a lower term is refused', (raft) => {
    const step = raft.step.bind(raft)
    raft.step = (message) =>
      message.type === 'append-request' &&
      message.term < raft.state.term &&
      raft.state.role === 'follower'
        ? step({ ...message, term: raft.state.term })
        : step(message)
  }),
  core(
    'commit-to-own-last-index',
    '§5.3: a follower commits only what the message shows to match',
    ({ follower, state }) => {
      follower.commitAfter = ({ commit }) => Math.min(commit, state.log.lastIndex)
    },
  ),
  core(
    'commit-of-a-minority',
    '§5.3: a majority holds what is committed',
    ({ replication, state }) => {
      replication.quorumIndex = () => {
        const { voters } = state.config
        const matches = voters.map((id) => replication.matchOf(id)).toSorted((a, b) => b - a)
        return matches[Math.floor((voters.length - 1) / 2)] ?? 0
      }
    },
  ),
  core(
    'late-write-counts',
    'a write under way does not count for what replaced its entries',
    ({ state: { log } }) => {
      const persisted = log.batchPersisted.bind(log)
      const takeBatch = log.takeBatch.bind(log)
      let [end, written] = [0, 0]
      log.takeBatch = () => {
        const batch = takeBatch()
        if (batch !== undefined) end = log.lastIndex
        return batch
      }
      log.batchPersisted = () => {
        persisted()
        written = end
      }
      Object.defineProperty(log, 'persisted', {
        get: () =>
          Math.max(
            Reflect.get(RaftLog.prototype, 'persisted', log),
            Math.min(written, log.lastIndex),
          ),
      })
    },
  ),
]

const reads: readonly Mutant[] = [
  core(
    'read-without-quorum',
    '§8: a leader asks a quorum before it answers a read',
    ({ readIndexes, state }) => {
      const confirm = readIndexes.finishIfConfirmed.bind(readIndexes)
      readIndexes.finishIfConfirmed = () => {
        for (const id of state.config.voters) state.reads.round?.acks.add(id)
        confirm()
      }
    },
  ),
  core(
    'read-before-own-term',
    '§8: a new leader first commits an entry of its term',
    ({ readIndexes }) => {
      readIndexes.knowsCommit = () => true
    },
  ),
  core('read-token-reused', 'the token of a round is new', ({ state: { reads } }) => {
    const make = reads.makeToken.bind(reads)
    reads.makeToken = () => (reads.token === 0 ? make() : reads.token)
  }),
  core('read-before-apply', 'a read waits until its index is applied', (_raft, driver) => {
    const process = driver.process.bind(driver)
    driver.process = (ready) =>
      process({ ...ready, reads: ready.reads.map((read) => ({ ...read, index: 0 })) })
  }),
]

const defaultReads: readonly Mutant[] = [
  core(
    'leader-reads-unasked',
    'a leader asks a quorum, unless it is one by itself',
    (raft, _driver, node) => {
      const server = must(node.server)
      Object.defineProperty(server, 'isAlone', { get: () => raft.state.role === 'leader' })
    },
  ),
  core(
    'follower-reads-own-commit',
    'a follower asks the leader how far a read must see',
    ({ readIndexes, state }) => {
      const read = readIndexes.read.bind(readIndexes)
      readIndexes.read = (requestId) => {
        if (state.role !== 'follower' || state.leader === undefined) return read(requestId)
        state.reads.resolve(requestId, state.log.commit)
        return { kind: 'pending' }
      }
    },
  ),
  core(
    'ack-of-an-older-round',
    'a round is confirmed by acknowledgements of its own token',
    ({ readIndexes, state }) => {
      const handle = readIndexes.handleAck.bind(readIndexes)
      readIndexes.handleAck = (message) =>
        handle({
          ...message,
          readToken: Math.max(message.readToken, state.reads.round?.token ?? 0),
        })
    },
  ),
  core(
    'acks-kept-for-the-next-round',
    'each round is acknowledged anew',
    ({ state: { reads } }) => {
      const start = reads.startRound.bind(reads)
      let acks = new Set<string>()
      reads.startRound = (index) => {
        start(index)
        const round = must(reads.round)
        for (const id of acks) round.acks.add(id)
        acks = round.acks
      }
    },
  ),
]

/** Writes that were forwarded, and what keeps them from being done twice. */
const forwarding: readonly Mutant[] = [
  process(
    'forwarded-under-a-new-id',
    'a write is forwarded again under the same request id',
    (_node, replica) => {
      const forward = replica.forward.bind(replica)
      const seen = new Set<string>()
      replica.forward = (to, proposals) =>
        forward(
          to,
          proposals.map((json) => {
            if (!seen.has(json)) {
              seen.add(json)
              return json
            }
            return json.replace('"requestId":"', '"requestId":"again-')
          }),
        )
    },
  ),
  process('answers-in-the-wrong-order', 'each write has the answer to itself', (_node, replica) => {
    const forward = replica.forward.bind(replica)
    replica.forward = async (to, proposals) => (await forward(to, proposals)).toReversed()
  }),
  process(
    'lost-answer-is-final',
    'a write whose answer is lost is asked for again, or fails',
    (_node, replica) => {
      const forward = replica.forward.bind(replica)
      replica.forward = (to, proposals) =>
        forward(to, proposals).catch(() => new Promise<never>(() => {}))
    },
  ),
  process(
    'lost-answer-is-success',
    'a write whose answer is lost may not have happened',
    (node, replica) => {
      const forward = replica.forward.bind(replica)
      replica.forward = (to, proposals) =>
        forward(to, proposals).catch(() =>
          proposals.map(() => ({
            kind: 'applied' as const,
            outcome: { ok: true as const, index: node.machine.appliedIndex(), result: 1 },
          })),
        )
    },
  ),
  core(
    'another-leaders-entry',
    'an entry of another term is not the write that was proposed',
    (raft, _driver, node) => {
      const { proposals } = must(node.server)
      const terms = new Map<number, number>()
      const propose = raft.propose.bind(raft)
      raft.propose = (data) => {
        const result = propose(data)
        if (result.kind !== 'accepted') return result
        for (let at = result.firstIndex; at <= result.lastIndex; at++) terms.set(at, result.term)
        return result
      }
      const onApplied = proposals.onApplied.bind(proposals)
      proposals.onApplied = (index, term, outcome) =>
        onApplied(index, terms.get(index) ?? term, outcome)
    },
  ),
  server(
    'requests-forgotten-early',
    'a request is remembered for as long as it may come again',
    ({ machine }) => {
      machine.memory = { entries: 0, ms: 0, entriesMax: 4, every: 2 }
    },
  ),
  server(
    'requests-forgotten-by-batch',
    'requests are forgotten at fixed entries of the log',
    ({ machine }) => {
      machine.memory = { ...machine.memory, every: Infinity }
      const apply = SimMachine.prototype.apply.bind(machine)
      machine.apply = (entries) => {
        apply(entries)
        const ids = [...machine.state.requests.keys()]
        for (const id of ids.slice(0, Math.max(0, ids.length - 20))) machine.forget(id)
      }
    },
  ),
  server(
    'requests-not-remembered',
    'a request that was applied is not applied again',
    ({ machine }) => {
      machine.memory = { entries: 0, ms: -Infinity, entriesMax: 0, every: 1 }
    },
  ),
]

const formation: readonly Mutant[] = [
  process('pledge-given-twice', 'a server pledges itself to one cluster', (_node, replica) => {
    replica.formation.onPledgeRequest = (asked, hasCluster) => {
      if (hasCluster) return { pledged: false }
      replica.marks.setPledge(asked)
      return { pledged: true }
    }
  }),
  process('pledge-not-persisted', 'a pledge is on disk before it is given', (_node, { marks }) => {
    let pledge: Pledge | undefined
    marks.setPledge = (given) => (pledge = given)
    Object.defineProperty(marks, 'pledge', { get: () => pledge })
  }),
  process(
    'refusal-taken-for-a-pledge',
    'all founders have pledged before the cluster begins',
    (_node, replica) => {
      const ask = replica.ask.bind(replica)
      replica.ask = async <T>(address: string, kind: string, body: unknown) => {
        const reply = await ask<T>(address, kind, body)
        return kind === 'pledge' ? ({ pledged: true } as T) : reply
      }
    },
  ),
  process(
    'pledge-freed-by-anyone',
    'a pledge is freed by whom it was given to, and nobody else',
    (_node, replica) => {
      const { formation, marks } = replica
      const answer = formation.onPledgeRequest.bind(formation)
      formation.onPledgeRequest = (asked, hasCluster) => {
        const { clusterId } = marks.pledge ?? asked
        const reply = answer({ ...asked, released: [...asked.released, clusterId] }, hasCluster)
        return reply
      }
    },
  ),
  process(
    'own-attempt-kept',
    'who pledges itself to a lower id gives up its own attempt',
    (_node, replica) => {
      const { formation, marks } = replica
      const answer = formation.onPledgeRequest.bind(formation)
      formation.onPledgeRequest = (asked, hasCluster) => {
        const before = marks.pledge
        const reply = answer(asked, hasCluster)
        if (before !== undefined) marks.setPledge(before)
        return reply
      }
    },
  ),
  process(
    'pledge-never-freed',
    'the pledge to an attempt that was given up is free again',
    (_node, replica) => {
      const { formation } = replica
      const answer = formation.onPledgeRequest.bind(formation)
      formation.onPledgeRequest = (asked, hasCluster) =>
        answer({ ...asked, released: [] }, hasCluster)
    },
  ),
]

const duties: readonly Mutant[] = [
  process(
    'promoted-before-caught-up',
    'thesis §4.2.1: a learner votes only once it keeps up',
    (_node, replica) => {
      onDuty(replica, (server) => {
        const [id] = server.status.config.learners
        if (id !== undefined) replica.changeMembers({ kind: 'promote', id, force: true })
      })
    },
  ),
  process(
    'two-promoted-at-once',
    '§6: one change at a time, of the leader itself as well',
    (_node, replica) => {
      onDuty(replica, ({ status, driver: { raft } }) => {
        raft.membership.isInFlight = () => false
        for (const id of status.config.learners) raft.proposeConfChange({ kind: 'promote', id })
      })
    },
  ),
]

const membership: readonly Mutant[] = [
  core('second-config-in-flight', '§6: one change at a time', ({ membership }) => {
    membership.isInFlight = () => false
  }),
  core(
    'removed-self-counted',
    '§6: a leader that removes itself does not count itself',
    ({ replication, state }) => {
      const quorumIndex = replication.quorumIndex.bind(replication)
      replication.quorumIndex = () => {
        const { voters } = state.config
        if (voters.includes(state.id)) return quorumIndex()
        const all = [...voters, state.id]
          .map((id) => replication.matchOf(id))
          .toSorted((a, b) => b - a)
        return all[Math.floor(voters.length / 2)] ?? 0
      }
    },
  ),
  core(
    'config-not-rolled-back',
    '§6: a truncated configuration is no longer in force',
    ({ state: { configs } }) => {
      configs.truncateFrom = () => {}
    },
  ),
  core(
    'config-lost-in-snapshot',
    '§7: a snapshot brings the configuration',
    ({ state: { configs } }) => {
      const reset = configs.reset.bind(configs)
      configs.reset = ({ index }) => reset({ index, config: emptyConfig })
    },
  ),
  core(
    'change-before-own-term',
    'thesis §4.1: a leader first commits an entry of its term',
    ({ membership }) => {
      membership.isReady = () => true
    },
  ),
]

const state: readonly Mutant[] = [
  server(
    'applied-twice',
    'the applied index changes in the transaction of the state',
    ({ machine }) => {
      machine.state.index = Math.min(machine.state.index, Math.max(1, machine.checkpoint.index))
    },
  ),
  core('applied-before-sync', 'the state never outruns the log on disk', ({ state: { log } }) => {
    applyUpTo(log, () => log.lastIndex)
  }),
  {
    name: 'requests-lost-in-snapshot',
    about: 'a snapshot holds the requests that were applied',
    beforeBoot: ({ machine }) => {
      const set = machine.files.set.bind(machine.files)
      machine.files.set = (index, file) => set(index, { ...file, requests: new Map() })
    },
  },
  core(
    'log-kept-under-snapshot',
    '§7: a snapshot replaces the log that does not reach it',
    ({ follower, state }) => {
      const handle = follower.handleSnapshot.bind(follower)
      follower.handleSnapshot = (message) => {
        const { snapshot } = message
        handle({
          ...message,
          snapshot: { ...snapshot, term: state.log.term(snapshot.index) ?? snapshot.term },
        })
      }
    },
  ),
  core('write-without-truncation', 'what is cut in memory is cut on the disk', (_raft, driver) => {
    const persist = driver.persist.bind(driver)
    driver.persist = (write: LogWrite, messages) => {
      if (write.truncateFrom === undefined) return persist(write, messages)
      persist({ ...write, truncateFrom: undefined, entries: [] }, messages)
    }
  }),
]

const liveness: readonly Mutant[] = [
  core('no-pre-vote', 'thesis §9.6: a cut-off server does not raise the term', ({ election }) => {
    const campaign = election.campaign.bind(election)
    election.campaign = (kind) => campaign(kind === 'pre-election' ? 'election' : kind)
  }),
  core('no-check-quorum', 'a leader that hears no quorum steps down', ({ replication }) => {
    replication.isQuorumActive = () => true
  }),
  core(
    'quorum-of-learners',
    'a leader that hears only learners steps down',
    ({ replication, state }) => {
      replication.isQuorumActive = () => {
        const { voters, learners } = state.config
        const active = [...voters, ...learners].filter((id) => replication.isActive(id))
        return active.length > voters.length / 2
      }
    },
  ),
  core(
    'timeout-now-early',
    'thesis §3.10: the heir has the whole log before it is told',
    ({ transfers, state }) => {
      const start = transfers.start.bind(transfers)
      transfers.start = (to) => {
        const result = start(to)
        if (result.kind === 'started') state.send({ type: 'timeout-now', to, term: state.term })
        return result
      }
    },
  ),
  core(
    'proposals-during-a-transfer',
    'thesis §3.10: nothing is proposed while leadership is handed over',
    (raft) => {
      const propose = raft.propose.bind(raft)
      raft.propose = (data) => {
        const { transferee } = raft.state
        raft.state.transferee = undefined
        const result = propose(data)
        raft.state.transferee = transferee
        return result
      }
    },
  ),
  core('zombie-leader', 'a leader whose disk hangs stops its heartbeats', ({ state }) => {
    Object.defineProperty(state, 'writeTicks', { get: () => 0, set: () => {} })
  }),
  core('broken-stream-ignored', 'a snapshot that did not arrive is sent again', (raft) => {
    raft.snapshotSent = () => {}
  }),
  core('stuck-candidate', 'a leader learns that a follower has a higher term', ({ follower }) => {
    follower.refuseLowerTerm = () => {}
  }),
  core(
    'heartbeat-never-probes',
    'what was lost is found out by the next heartbeat',
    ({ replication, state }) => {
      replication.handleHeartbeatResponse = ({ from }) => {
        const progress = state.progress.get(from)
        if (progress !== undefined) progress.recentActive = true
        return undefined
      }
    },
  ),
  core(
    'transfer-never-ends',
    'thesis §3.10: a transfer is given up after an election time-out',
    ({ transfers }) => {
      transfers.abort = () => {}
    },
  ),
]

export const mutants: readonly Mutant[] = [
  ...votes,
  ...replication,
  ...reads,
  ...defaultReads,
  ...forwarding,
  ...formation,
  ...duties,
  ...membership,
  ...state,
  ...liveness,
]
