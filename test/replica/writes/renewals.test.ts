import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { svcdError } from '../../../src/base/errors.ts'
import type { NodeId } from '../../../src/raft/entry.ts'
import { sessionsAtLeader } from '../../../src/replica/session-view.ts'
import { Operations } from '../../../src/replica/writes/operations.ts'
import { PeerRequests } from '../../../src/replica/writes/peer-requests.ts'
import type { PeerRequestsParts } from '../../../src/replica/writes/peer-requests.ts'
import type { Session } from '../../../src/state/session/model.ts'
import { RaftRig } from '../../helpers/raft-rig.ts'

/** All servers know the session `s`. `renewedBy`: who answered, in order. */
function operationsOn(rig: RaftRig) {
  const all = new Map<NodeId, Operations>()
  const requests = new Map<NodeId, PeerRequests>()
  const renewedBy: NodeId[] = []
  const refuse = (): Promise<string> => Promise.reject(svcdError('no-leader', {}))
  for (const [self, raft] of rig.servers) {
    const sessions = {
      renew: (ids: readonly string[]) => {
        renewedBy.push(self)
        return ids.map((id) => (id === 's' ? ({ id } as Session) : null))
      },
      lockDelayMs: (key: string) => (key === 'a' ? 1234.5 : 0),
    }
    const operations = new Operations({
      raft: () => raft,
      self,
      forward: (to, kind, body) => {
        if (rig.silent.has(to) || rig.silent.has(self)) return new Promise(() => {})
        const from = { id: self, name: self, address: '', isMember: true, isAuthentic: true }
        return must(requests.get(to)).answer(from, kind, body)
      },
      snapshot: refuse,
      join: refuse,
      health: () => '',
      sessions: () => sessions,
      idsAt: () => [],
    })
    all.set(self, operations)
    requests.set(
      self,
      new PeerRequests({ raft: () => raft, operations } as unknown as PeerRequestsParts),
    )
  }
  return { of: (id: NodeId) => must(all.get(id)), renewedBy }
}

/** The rig's time goes ten times as fast as the machine's while `work` is under way. */
async function running<T>(rig: RaftRig, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => rig.run(1), 5)
  return work.finally(() => clearInterval(timer))
}

const renewal = { kind: 'renew-sessions', ids: ['s', 'gone'] } as const

t.test('a renewal is answered by the leader, whichever server is asked', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const { of, renewedBy } = operationsOn(rig)
  for (const id of rig.servers.keys()) {
    t.strictSame(JSON.parse(await running(rig, of(id).run(renewal))), [{ id: 's' }, null])
    t.equal(await running(rig, of(id).run({ kind: 'lock-delay', key: 'a' })), '1234.5')
  }
  t.strictSame(renewedBy, [leader, leader, leader])
})

t.test('a renewal waits for no tick: its round to a majority begins at once', async (t) => {
  const rig = new RaftRig()
  const leader = rig.elect()
  const { of } = operationsOn(rig)
  for (const id of rig.servers.keys()) {
    let answer: string | undefined
    const asked = of(id).run(renewal)
    void asked.then((text) => (answer = text))
    // What is sent is delivered, but no time passes.
    for (let turn = 0; turn < 20; turn++) {
      await new Promise(setImmediate)
      rig.deliver()
    }
    t.match(answer, 's', id === leader ? 'asked at the leader' : 'asked at a follower')
    await running(rig, asked)
  }
})

t.test('a renewal during an election is answered by the next leader', async (t) => {
  const rig = new RaftRig()
  const old = rig.elect()
  const { of, renewedBy } = operationsOn(rig)
  rig.silent.add(old)
  const follower = must(rig.others(old)[0])
  t.strictSame(JSON.parse(await running(rig, of(follower).run(renewal))), [{ id: 's' }, null])
  t.strictSame(
    renewedBy,
    rig.others(old).filter((id) => rig.server(id).isLeader),
  )
})

t.test('a leader that was deposed without knowing it renews nothing', async (t) => {
  const rig = new RaftRig()
  const old = rig.elect()
  const { of, renewedBy } = operationsOn(rig)
  rig.silent.add(old)
  t.ok(rig.server(old).isLeader, 'it still believes that it leads')
  await t.rejects(running(rig, of(old).renewSessions(['s'])), { code: 'no-leader' })
  t.strictSame(renewedBy, [])
})

t.test('renewals of a short time are one request, each with its own answer', async (t) => {
  const asked: unknown[] = []
  const sessions = sessionsAtLeader({
    operate: async (operation) => {
      asked.push(operation)
      if (operation.kind !== 'renew-sessions') return '0'
      if (operation.ids.includes('refused')) throw svcdError('no-leader', {})
      return JSON.stringify(operation.ids.map((id) => (id === 'gone' ? null : { id })))
    },
  })
  const answers = await Promise.all(['s', 'gone', 't'].map((id) => sessions.renew(id)))
  t.strictSame(answers, [{ id: 's' }, undefined, { id: 't' }])
  t.strictSame(asked, [{ kind: 'renew-sessions', ids: ['s', 'gone', 't'] }])
  await t.rejects(sessions.renew('refused'), { code: 'no-leader' })
  t.match(await sessions.renew('u'), { id: 'u' }, 'a later one is another request')
  const many = Array.from({ length: 2500 }, (_, at) => sessions.renew(`m${at}`))
  t.equal((await Promise.all(many)).length, 2500)
  t.equal(asked.length, 6)
})
