import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import type { NodeId } from '../../../src/raft/entry.ts'
import type { ConfChange } from '../../../src/raft/membership.ts'
import type { Status } from '../../../src/raft/status.ts'
import { DeadServers } from '../../../src/replica/duties/dead-servers.ts'
import type { OwnCommand } from '../../../src/replica/duties/duty.ts'
import { defaultAutopilot } from '../../../src/state/autopilot/model.ts'
import { nodeCheckId } from '../../../src/state/catalog/model.ts'
import { checkDefinition, MemoryCatalog, nodeDefinition } from '../../helpers/catalog.ts'

/** s1 leads s2 to s4. Every server that is registered is alive at first. */
class Rig {
  voters: readonly NodeId[] = ['s1', 's2', 's3', 's4']
  settings = defaultAutopilot
  isTaken = true
  readonly silenceMs: Record<NodeId, number> = {}
  readonly changes: ConfChange[] = []
  readonly proposed: OwnCommand[] = []
  readonly catalog = new MemoryCatalog()
  #nowMs = 0
  readonly duty = new DeadServers({
    autopilot: { configuration: () => this.settings },
    catalog: this.catalog.reader,
    silenceMs: 3000,
    silenceOf: (id) => this.silenceMs[id] ?? 100,
    changeMembers: (change) => {
      this.changes.push(change)
      return this.isTaken
    },
    propose: (command) => this.proposed.push(command),
    logger: silentLogger,
  })

  register(...ids: readonly NodeId[]): this {
    for (const id of ids) this.#write(id, 'passing')
    return this
  }

  fail(id: NodeId, silenceMs = 60_001): this {
    this.#write(id, 'critical')
    this.silenceMs[id] = silenceMs
    return this
  }

  /** The servers that a look removes. */
  look(): readonly NodeId[] {
    this.changes.length = 0
    this.#nowMs += 1000
    const none = { learners: [], votersOutgoing: [], addresses: {}, prevConfIndex: 0 }
    const status: Pick<Status, 'id' | 'config'> = {
      id: 's1',
      config: { voters: this.voters, ...none },
    }
    this.duty.check(status as Status, this.#nowMs)
    return this.changes.map(({ id }) => id)
  }

  #write(id: NodeId, status: 'critical' | 'passing'): void {
    const nodeName = `node-${id}`
    const node = nodeDefinition(nodeName, { id })
    const checks = [checkDefinition(nodeCheckId, { status })]
    this.catalog.apply({ kind: 'register', nodeName, node, checks, replaceChecks: false })
  }
}

/** s3 has failed, and s4 has come since then. */
function replaced(): Rig {
  return new Rig().register('s1', 's2', 's3').fail('s3').register('s4')
}

t.test('a failed server whose place a new one has taken is removed with its node', async (t) => {
  const rig = replaced()
  t.strictSame(rig.look(), ['s3'])
  t.strictSame(rig.changes, [{ kind: 'remove', id: 's3' }])
  t.strictSame(rig.proposed, [{ kind: 'deregister', nodeName: 'node-s3' }])
  rig.voters = ['s1', 's2', 's4']
  t.strictSame(rig.look(), [])
})

t.test('without a new server none is removed, however long it is silent', async (t) => {
  const rig = new Rig().register('s1', 's2', 's3', 's4').fail('s3', Infinity)
  t.strictSame(rig.look(), [], 'of four')
  rig.voters = ['s1', 's2', 's3']
  t.strictSame(rig.look(), [], 'of three')
})

t.test('no cluster gets smaller than an odd number of voters', async (t) => {
  const rig = new Rig().register('s1', 's2', 's3', 's4', 's5').fail('s4').fail('s5').register('s6')
  rig.voters = ['s1', 's2', 's3', 's4', 's5', 's6']
  t.strictSame(rig.look(), ['s4'], 'one for the one that has come')
  rig.voters = ['s1', 's2', 's3', 's5', 's6']
  t.strictSame(rig.look(), [])
  rig.register('s7')
  rig.voters = ['s1', 's2', 's3', 's5', 's6', 's7']
  t.strictSame(rig.look(), ['s5'])
})

t.test('a server that is only restarted stays', async (t) => {
  const rig = replaced().fail('s3', 60_000)
  t.strictSame(rig.look(), [])
})

t.test('a new server counts while it lives', async (t) => {
  const rig = replaced()
  rig.silenceMs['s4'] = 3001
  t.strictSame(rig.look(), [])
})

t.test('a failed server whose name a new one has taken is removed by its ID', async (t) => {
  const rig = replaced()
  rig.catalog.apply({ kind: 'deregister', nodeName: 'node-s3' })
  t.strictSame(rig.look(), ['s3'])
  t.strictSame(rig.proposed, [], 'its node is the other one now')
})

t.test('an operator can forbid it, or set how many voters remain', async (t) => {
  const rig = replaced()
  rig.settings = { ...defaultAutopilot, cleanupDeadServers: false }
  t.strictSame(rig.look(), [])
  rig.settings = { ...defaultAutopilot, minQuorum: 4 }
  t.strictSame(rig.look(), [])
  rig.settings = { ...defaultAutopilot, minQuorum: 3 }
  t.strictSame(rig.look(), ['s3'])
})

t.test('what the core refuses is tried again, and the node stays until then', async (t) => {
  const rig = replaced()
  rig.isTaken = false
  t.strictSame(rig.look(), ['s3'])
  t.strictSame(rig.proposed, [])
  rig.isTaken = true
  t.strictSame(rig.look(), ['s3'])
  t.equal(rig.proposed.length, 1)
})
