import type { KvCommand } from '../../../../src/state/kv/commands.ts'
import { kvTable, kvTombstonesTable } from '../../../../src/state/kv/tables.ts'
import type { AnyBody } from '../../../../src/state/machine/command.ts'
import { process } from '../../mutants/kinds.ts'
import { command, entries, family } from './kinds.ts'
import type { StoreMutant } from './kinds.ts'

const kv = 'kv'

function kvBody(body: AnyBody): KvCommand {
  return body as KvCommand
}

/** Of the key/value store, and of what answers its reads and remembers its writes. */
export const keyMutants: readonly StoreMutant[] = [
  command('cas-ignored', 'a check-and-set compares the index', {
    family: kv,
    change: (body) => {
      const asked = kvBody(body)
      return asked.kind === 'kv-put' ? { ...asked, cas: undefined } : body
    },
  }),
  command('cas-of-a-delete-ignored', 'a delete with an index compares it', {
    family: kv,
    change: (body) => {
      const asked = kvBody(body)
      return asked.kind === 'kv-delete' ? { ...asked, cas: undefined } : body
    },
  }),
  command('cas-of-0-on-any', 'an index of 0 means that the key is not there', {
    family: kv,
    change: (body) => {
      const asked = kvBody(body)
      return asked.kind === 'kv-put' && asked.cas === '0' ? { ...asked, cas: undefined } : body
    },
  }),
  family('delete-without-tombstone', 'the index of a key that was deleted does not fall', {
    family: kv,
    open: (_db, gate, open) => {
      const put = gate.put.bind(gate)
      gate.put = (table, row, before) => {
        if (table.name !== kvTombstonesTable.name) put(table, row, before)
      }
      return open()
    },
  }),
  family('unchanged-but-new-index', 'a key that stays as it is keeps its index', {
    family: kv,
    open: (db, gate, open) => {
      const applier = open()
      const touch = db.prepare('UPDATE kv SET modify_index = ? WHERE key = ?')
      return {
        ...applier,
        apply: (body) => {
          const outcome = applier.apply(body)
          if (body.kind === 'kv-put') touch.run(gate.index, (body as { key: string } & AnyBody).key)
          return outcome
        },
      }
    },
  }),
  family('created-again-by-each-put', 'a key keeps its create index', {
    family: kv,
    open: (_db, gate, open) => {
      const put = gate.put.bind(gate)
      gate.put = (table, row, before) => {
        const isKey = table.name === kvTable.name
        put(table, isKey ? { ...row, create_index: gate.index } : row, before)
      }
      return open()
    },
  }),
  command('tree-of-one-key', 'a tree is deleted whole', {
    family: kv,
    change: (body, db) => {
      const asked = kvBody(body)
      if (asked.kind !== 'kv-delete-tree') return body
      const first = db.prepare<[string], string>('SELECT min(key) FROM kv WHERE key >= ?').pluck()
      return { kind: 'kv-delete', key: first.get(asked.prefix) ?? asked.prefix } as AnyBody
    },
  }),
  entries('dedupe-lost', 'a request that was applied is not applied again', () => ({
    before: (entry) => {
      const { command: known, index } = entry
      if (known === undefined) return entry
      return { ...entry, command: { ...known, requestId: `${known.requestId}@${index}` } }
    },
  })),
  entries(
    'refusal-forgotten',
    'a request that comes again has the answer of the first time',
    () => {
      const seen = new Set<string>()
      return {
        after: ({ command: known }, outcome) => {
          const id = known?.requestId ?? ''
          if (!seen.has(id)) {
            seen.add(id)
            return outcome
          }
          return { ok: true, index: outcome.index }
        },
      }
    },
  ),
  process(
    'stale-as-default',
    'a default read asks whether its server is current',
    (_node, replica) => {
      replica.read = (settle) => settle(true)
    },
  ),
  process(
    'leader-reads-as-if-alone',
    'only a server that is a quorum need not ask',
    (_node, replica) => {
      Object.defineProperty(replica, 'isAlone', {
        get: () => replica.raft?.isLeader === true,
        set: () => {},
      })
    },
  ),
]
