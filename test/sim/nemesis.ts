import { must } from '../../src/base/assert.ts'
import { randomBelow } from '../../src/base/random.ts'
import { stampAll } from '../../src/replica/writes/log-entry.ts'
import { members } from '../../src/raft/config.ts'
import type { ConfChange } from '../../src/raft/membership.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { SimNode } from './node.ts'
import type { FaultClass } from './options.ts'
import type { World } from './world.ts'

const membersMax = 6

/** Makes the faults that a seed has switched on, one after the other, until `stop`. */
export class Nemesis {
  readonly #world: World
  readonly #actions: (readonly [FaultClass | 'burst', () => void])[]
  /** How often each class struck. */
  readonly struck = new Map<FaultClass | 'burst', number>()

  constructor(world: World) {
    this.#world = world
    const all: readonly (readonly [FaultClass, () => void])[] = [
      ['partition', () => this.#partition()],
      ['one-way-cut', () => this.#cutOneWay()],
      ['partial-cut', () => this.#cutPair()],
      ['slow-links', () => this.#slowLinks()],
      ['reset', () => this.#reset()],
      ['one-sided-reset', () => this.#resetOneSided()],
      ['crash', () => this.#crash(false)],
      ['power-loss', () => this.#crash(true)],
      ['disk-stall', () => (this.#victim().disk.stallMs = 200 + world.random() * 2500)],
      ['disk-error', () => (this.#victim().disk.nextError = 'EIO')],
      ['disk-full', () => (this.#victim().disk.nextError = 'ENOSPC')],
      ['pause', () => this.#pause()],
      ['churn', () => this.#churn(this.#anyLeader())],
      ['transfer', () => this.#transfer()],
      ['snapshot', () => this.#victim().makeSnapshot()],
    ]
    this.#actions = all.filter(([fault]) => world.options.faults.has(fault))
    if (this.#actions.length > 0)
      this.#actions.push(['burst', () => this.#burst(this.#anyLeader())])
  }

  begin(): void {
    this.#next()
    this.#readFromRivals()
  }

  /** Where two hold themselves for the leader, a read from each shows whether both know better. */
  #readFromRivals(): void {
    if (!this.#world.isFaulty) return
    const leaders = this.#world.leaders()
    if (leaders.length > 1) {
      for (const node of leaders) node.read(() => {})
    }
    this.#world.after(30, () => this.#readFromRivals())
  }

  #next(): void {
    const { random, options } = this.#world
    const delayMs = 20 - Math.log(1 - random()) * options.faultEveryMs
    this.#world.after(delayMs, () => {
      if (!this.#world.isFaulty || this.#actions.length === 0) return
      // What one fault alone does not break, two at once may.
      for (let times = random() < 0.3 ? 2 : 1; times > 0; times--) this.#strike()
      this.#next()
    })
  }

  #strike(): void {
    const [fault, act] = must(this.#actions[randomBelow(this.#world.random, this.#actions.length)])
    this.#world.trace(() => `fault: ${fault}`)
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1)
    act()
  }

  /** Any that holds itself for the leader: one that was cut off is the most interesting. */
  #anyLeader(): SimNode | undefined {
    const leaders = this.#world.leaders()
    return leaders[randomBelow(this.#world.random, leaders.length)]
  }

  /** Half of the time a leader, for that is where it hurts. */
  #victim(): SimNode {
    const { random, nodes } = this.#world
    const leader = this.#anyLeader()
    if (leader !== undefined && random() < 0.5) {
      // What it has just begun is half done when it is struck.
      if (random() < 0.5) this.#burst(leader)
      if (random() < 0.2 && this.#world.options.faults.has('churn')) this.#churn(leader)
      return leader
    }
    return must(nodes.get(this.#world.anyNode()))
  }

  #partition(): void {
    const { nodes, network, random } = this.#world
    const alone = random() < 0.5 ? this.#victim().id : undefined
    const side = new Map([...nodes.keys()].map((id) => [id, alone ? id === alone : random() < 0.5]))
    for (const a of nodes.keys()) {
      for (const b of nodes.keys()) if (side.get(a) !== side.get(b)) network.cut(a, b)
    }
    this.#healLater()
  }

  #cutOneWay(): void {
    const { nodes, network, random } = this.#world
    const victim = this.#victim().id
    const isDeaf = random() < 0.5
    for (const id of nodes.keys()) {
      if (random() < 0.3) continue
      if (isDeaf) network.cut(id, victim)
      else network.cut(victim, id)
    }
    this.#healLater()
  }

  #cutPair(): void {
    const [a, b] = [this.#victim().id, this.#world.anyNode()]
    this.#world.network.cut(a, b)
    this.#world.network.cut(b, a)
    this.#healLater()
  }

  #healLater(): void {
    const { random, network } = this.#world
    this.#world.after(100 + random() ** 2 * 5000, () => {
      if (!this.#world.isFaulty) return
      network.heal()
      this.#world.trace(() => 'the network heals')
    })
  }

  #slowLinks(): void {
    const { nodes, network, random } = this.#world
    const victim = this.#victim().id
    const slowMs = random() * 1500
    const isEcho = random() < 0.5
    for (const id of nodes.keys()) {
      if (!isEcho && random() < 0.5) network.slow(victim, id, slowMs)
      if (isEcho || random() < 0.5) network.slow(id, victim, slowMs)
    }
    // An echo: the victim goes on hearing answers to what it said before it was cut off.
    if (isEcho) {
      this.#world.after(random() * slowMs, () => {
        if (!this.#world.isFaulty) return
        for (const id of nodes.keys()) network.cut(victim, id)
      })
    }
    this.#healLater()
  }

  /** One connection of the victim, or all: then the others campaign though it is alive. */
  #reset(): void {
    const { nodes, network, random } = this.#world
    const victim = this.#victim().id
    const one = random() < 0.5 ? this.#world.anyNode() : undefined
    for (const id of nodes.keys()) {
      if (id !== victim && (one ?? id) === id) network.reset(victim, id)
    }
  }

  /** The others see the leader's connections close and vote; it sees nothing, and holds itself for one. */
  #resetOneSided(): void {
    this.#world.network.resetOneSided(this.#victim().id)
    this.#healLater()
  }

  #crash(power: boolean): void {
    const { random, nodes } = this.#world
    // Now and then all of them, as when a rack loses power.
    const victims = power && random() < 0.2 ? [...nodes.values()] : [this.#victim()]
    for (const victim of victims) {
      this.#world.after(random() * 30, () => {
        if (!victim.isUp) return
        victim.crash(this.#world.fate(), power)
        this.#world.restartLater(victim)
      })
    }
  }

  #pause(): void {
    const victim = this.#victim()
    const { random } = this.#world
    if (!victim.isPaused) victim.pause(100 + random() * 3000)
  }

  #transfer(): void {
    const to = this.#world.anyNode()
    this.#anyLeader()?.act((driver) => void driver.raft.transfer(to))
  }

  #churn(leader: SimNode | undefined): void {
    const { random } = this.#world
    leader?.act((driver) => {
      // A leader that was paused may get to it only when the faults are over, and quorums are counted.
      if (!this.#world.isFaulty) return
      // Two at once every other time: the second must be refused.
      for (let times = random() < 0.5 ? 2 : 1; times > 0; times--) {
        const change = this.#choose(driver.raft.status().config)
        if (change === undefined) return
        const result = driver.raft.proposeConfChange(change)
        this.#world.trace(() => `${JSON.stringify(change)} => ${JSON.stringify(result)}`)
        if (result.kind !== 'accepted') continue
        if (change.kind === 'add-learner') this.#world.addNode(change.id).start()
        if (change.kind === 'remove' && random() < 0.5) this.#retireLater(change.id)
      }
    })
  }

  /** Writes that no one waits for: they make the logs of leaders that are cut off differ. */
  #burst(leader: SimNode | undefined): void {
    const { random } = this.#world
    const count = 1 + randomBelow(random, 8)
    const data = Array.from({ length: count }, () => {
      const proposal = this.#world.workload.burst(this.#world.newRequestId())
      return must(stampAll([Buffer.from(proposal)], Math.round(this.#world.nowMs))[0])
    })
    leader?.act((driver) => void driver.raft.propose(data))
  }

  #choose(config: Parameters<typeof members>[0]): ConfChange | undefined {
    const { random } = this.#world
    const ids = members(config)
    const any = (from: readonly NodeId[]) => from[randomBelow(random, from.length)]
    const chance = random()
    if (chance < 0.3 && ids.length < membersMax) {
      const id = this.#world.newId()
      return { kind: 'add-learner', id, address: `${id}:8300` }
    }
    const learner = any(config.learners)
    if (chance < 0.6 && learner !== undefined) {
      return { kind: 'promote', id: learner, force: random() < 0.3 }
    }
    const id = any(chance < 0.8 ? config.voters : ids)
    if (id === undefined || config.voters.length < 2) return undefined
    return { kind: random() < 0.3 ? 'demote' : 'remove', id }
  }

  /** Some removed servers are switched off; the others stay and must not disturb. */
  #retireLater(id: NodeId): void {
    this.#world.after(this.#world.random() * 3000, () => {
      const { nodes, ledger, isFaulty } = this.#world
      if (!isFaulty) return
      const node = nodes.get(id)
      if (node === undefined || (ledger.config && members(ledger.config).includes(id))) return
      this.#world.trace(() => `${id}, removed, is switched off`)
      node.crash('kept', false)
      nodes.delete(id)
    })
  }
}
