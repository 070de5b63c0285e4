import { must } from '../../../../src/base/assert.ts'
import { kvTable } from '../../../../src/state/kv/tables.ts'
import type { AnyBody } from '../../../../src/state/machine/command.ts'
import type { SessionCommand } from '../../../../src/state/session/commands.ts'
import { lockDelaysTable } from '../../../../src/state/session/tables.ts'
import type { SimNode } from '../../node.ts'
import type { ReplicaSessions } from '../../sessions.ts'
import { command, family } from './kinds.ts'
import type { StoreMutant } from './kinds.ts'

const session = 'session'

function sessionBody(body: AnyBody): SessionCommand {
  return body as SessionCommand
}

/** What a process does for sessions is replaced, from outside. */
function sessions(
  name: string,
  about: string,
  change: (of: ReplicaSessions, node: SimNode) => void,
): StoreMutant {
  return {
    name,
    about,
    afterBoot: (node) => change(must(node.replica?.sessions, 'it has begun'), node),
  }
}

/** The leader's part: deadlines and renewals. */
const deadlineMutants: readonly StoreMutant[] = [
  sessions(
    'no-grace-for-an-election',
    'a new leader grants the time of an election',
    ({ parts }) => {
      Object.assign(parts, { electionMs: 0 })
    },
  ),
  sessions('new-leader-grants-nothing', 'a new leader grants the whole TTL', ({ parts }) => {
    const { sessions: reader } = parts
    const timedAfter = reader.timedAfter.bind(reader)
    const inherited = (index: number) =>
      timedAfter(index).map((one) => (index === 0 ? { ...one, ttlMs: 0 } : one))
    Object.assign(parts, { sessions: { ...reader, timedAfter: inherited }, electionMs: 0 })
  }),
  sessions(
    'new-leader-forgets-sessions',
    'a new leader ends the sessions of the last',
    ({ parts }) => {
      const { sessions: reader } = parts
      const timedAfter = reader.timedAfter.bind(reader)
      const own = (index: number) => (index === 0 ? [] : timedAfter(index))
      Object.assign(parts, { sessions: { ...reader, timedAfter: own } })
    },
  ),
  sessions('new-leader-ends-lock-delays', 'a lock-delay outlives the leader', ({ parts }) => {
    const { sessions: reader } = parts
    const delaysAfter = reader.lockDelaysAfter.bind(reader)
    const inherited = (index: number) =>
      delaysAfter(index).map((one) => (index === 0 ? { ...one, delayNs: 0 } : one))
    Object.assign(parts, { sessions: { ...reader, lockDelaysAfter: inherited }, electionMs: 0 })
  }),
  sessions('half-of-a-lock-delay', 'a lock-delay lasts as long as was asked for', ({ parts }) => {
    const { sessions: reader } = parts
    const delaysAfter = reader.lockDelaysAfter.bind(reader)
    const half = (index: number) =>
      delaysAfter(index).map((one) => ({ ...one, delayNs: one.delayNs / 2 }))
    Object.assign(parts, { sessions: { ...reader, lockDelaysAfter: half } })
  }),
  sessions('ends-after-one-ttl', 'hardly a lock-delay means twice the TTL', ({ parts }) => {
    const { sessions: reader } = parts
    const timedAfter = reader.timedAfter.bind(reader)
    const once = (index: number) => timedAfter(index).map((one) => ({ ...one, lockDelayNs: 60e9 }))
    Object.assign(parts, { sessions: { ...reader, timedAfter: once } })
  }),
  sessions('renewal-not-counted', 'a renewal grants the whole TTL', ({ parts, deadlines }) => {
    deadlines.renew = (ids) => ids.map((id) => parts.sessions.session(id) ?? null)
  }),
  sessions(
    'renewed-while-it-ends',
    'a session whose end was proposed is not renewed',
    ({ parts, deadlines }) => {
      const renew = deadlines.renew.bind(deadlines)
      deadlines.renew = (ids) =>
        renew(ids).map((renewed, at) => renewed ?? parts.sessions.session(must(ids[at])) ?? null)
    },
  ),
  sessions(
    'renewed-by-a-deposed-leader',
    'a leader is confirmed before it renews',
    ({ operations, deadlines }, { replica }) => {
      operations.renewSessions = (ids) =>
        replica?.raft?.isLeader === true
          ? Promise.resolve(JSON.stringify(deadlines.renew(ids)))
          : Promise.reject(new Error('it does not lead'))
    },
  ),
  sessions('renewed-by-anyone', 'the leader renews, and nobody else', (of) => {
    of.renew = (id) => Promise.resolve(of.parts.sessions.session(id) ?? null)
  }),
]

/** What a command means. */
const lockMutants: readonly StoreMutant[] = [
  command('released-by-anyone', 'the session that holds a lock releases it', {
    family: session,
    change: (body, db) => {
      const asked = sessionBody(body)
      if (asked.kind !== 'kv-release') return body
      const holder = db.prepare<[string], string>('SELECT session FROM kv WHERE key = ?').pluck()
      return { ...asked, session: holder.get(asked.key) || asked.session }
    },
  }),
  command('acquired-from-its-holder', 'a lock that is held is not given away', {
    family: session,
    change: (body, db) => {
      const asked = sessionBody(body)
      const free = db.prepare("UPDATE kv SET session = '' WHERE key = ?")
      if (asked.kind === 'kv-acquire') free.run(asked.key)
      return body
    },
  }),
  command('acquired-in-the-lock-delay', 'nobody locks a key in its lock-delay', {
    family: session,
    change: (body, db) => {
      const asked = sessionBody(body)
      const end = db.prepare('DELETE FROM lock_delays WHERE key = ?')
      if (asked.kind === 'kv-acquire') end.run(asked.key)
      return body
    },
  }),
  family('no-lock-delay', 'a lock-delay begins when a session ends', {
    family: session,
    open: (_db, gate, open) => {
      const put = gate.put.bind(gate)
      gate.put = (table, row, before) => {
        if (table.name !== lockDelaysTable.name) put(table, row, before)
      }
      return open()
    },
  }),
  family('lock-index-stays', 'each who locks a key has a larger lock index', {
    family: 'kv',
    open: (_db, gate, open) => {
      const put = gate.put.bind(gate)
      gate.put = (table, row, before) => {
        put(table, table.name === kvTable.name ? { ...row, lock_index: 1 } : row, before)
      }
      return open()
    },
  }),
  command('behavior-ignored', 'the keys of a session are deleted when that is its behavior', {
    family: session,
    change: (body) => {
      const asked = sessionBody(body)
      return asked.kind === 'session-create' ? { ...asked, behavior: 'release' } : body
    },
  }),
  command('critical-check-ignored', 'a session ends when one of its checks becomes critical', {
    family: session,
    change: (body) => {
      const asked = sessionBody(body)
      return asked.kind === 'session-create' ? { ...asked, nodeChecks: [] } : body
    },
  }),
]

/** Of sessions and locks. */
export const sessionMutants: readonly StoreMutant[] = [...deadlineMutants, ...lockMutants]
