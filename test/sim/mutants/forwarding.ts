import { must } from '../../../src/base/assert.ts'
import { machineOf, SimMachine } from '../machine.ts'
import type { Mutant } from '../node.ts'
import { core, process, server } from './kinds.ts'

/** Writes that were forwarded, and what keeps them from being done twice. */
export const forwarding: readonly Mutant[] = [
  process(
    'forwarded-under-a-new-id',
    'a write is forwarded again under the same request id',
    (_node, replica) => {
      const forward = replica.forward.bind(replica)
      const seen = new Set<string>()
      replica.forward = (to, proposals) =>
        forward(
          to,
          proposals.map((bytes) => {
            const json = Buffer.from(bytes).toString()
            if (seen.has(json)) {
              return Buffer.from(json.replace('"requestId":"', '"requestId":"again-'))
            }
            seen.add(json)
            return bytes
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
      const server = must(node.server)
      server.isInLog = () => true
      const { proposals } = server
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
  core(
    'cut-write-forgotten',
    'a write whose entry another leader cut is proposed again',
    (_raft, _driver, node) => {
      must(node.server).isInLog = () => true
    },
  ),
  server(
    'requests-forgotten-early',
    'a request is remembered for as long as it may come again',
    (node) => {
      machineOf(node).memory = { entries: 0, ms: 0, entriesMax: 4, every: 2 }
    },
  ),
  server(
    'requests-forgotten-by-batch',
    'requests are forgotten at fixed entries of the log',
    (node) => {
      const machine = machineOf(node)
      machine.memory = { ...machine.memory, every: Infinity }
      const apply = SimMachine.prototype.apply.bind(machine)
      machine.apply = (entries) => {
        apply(entries)
        const ids = [...machine.state.requests.keys()]
        for (const id of ids.slice(0, Math.max(0, ids.length - 20))) machine.forget(id)
      }
    },
  ),
  server('requests-not-remembered', 'a request that was applied is not applied again', (node) => {
    machineOf(node).memory = { entries: 0, ms: -Infinity, entriesMax: 0, every: 1 }
  }),
  process(
    'answered-before-visible',
    'a forwarded write shows where it was asked for before it is answered',
    (_node, replica) => {
      const forward = replica.forward.bind(replica)
      replica.forward = async (to, proposals) =>
        (await forward(to, proposals)).map((result) => {
          if (result.kind !== 'applied') return result
          return { ...result, outcome: { ...result.outcome, index: 0 } }
        })
    },
  ),
]
