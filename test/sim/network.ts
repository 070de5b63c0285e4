import { isMember, members } from '../../src/raft/config.ts'
import type { NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import { printMessage } from '../raft/script.ts'
import type { SimNode } from './node.ts'
import type { Surroundings } from './surroundings.ts'

interface NetworkWorld extends Surroundings {
  readonly nodes: ReadonlyMap<NodeId, SimNode>
}

function isAnswer({ type }: Message): boolean {
  return type === 'append-response' || type === 'heartbeat-response'
}

/** As from a follower that leaves out the skipping of §5.3: a hint is only a hint. */
function vague(message: Message): Message {
  if (message.type !== 'append-response' || !message.rejected) return message
  const hintIndex = Math.max(0, Math.min(message.index, message.hintIndex) - 2)
  return { ...message, hintIndex, hintTerm: 0 }
}

interface Link {
  /** Messages sent before a reset of the connection do not arrive after it. */
  generation: number
  isCut: boolean
  slowMs: number
  lastArrivalMs: number
}

/** Directed links between servers: they delay, lose, repeat and reorder. */
export class Network {
  readonly #world: NetworkWorld
  readonly #links = new Map<string, Link>()
  readonly #asked = new Set<string>()

  constructor(world: NetworkWorld) {
    this.#world = world
  }

  cut(from: NodeId, to: NodeId): void {
    this.#link(from, to).isCut = true
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#link(from, to).isCut
  }

  slow(from: NodeId, to: NodeId, slowMs: number): void {
    this.#link(from, to).slowMs = slowMs
  }

  heal(): void {
    for (const link of this.#links.values()) {
      link.isCut = false
      link.slowMs = 0
    }
  }

  /** Both directions lose what is under way; each end notices. */
  reset(a: NodeId, b: NodeId): void {
    this.#link(a, b).generation++
    this.#link(b, a).generation++
    for (const [id, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#notice(id, peer)
    }
  }

  /** Only `victim`'s peers see their connections close; it hears nothing, and is heard by nobody. */
  resetOneSided(victim: NodeId): void {
    // Now and then those that have no vote are with it, on its side.
    const learners = this.#world.nodes.get(victim)?.driver?.raft.state.config.learners ?? []
    const isWithThem = learners.length > 0 && this.#world.random() < 0.7
    const side = [victim, ...(isWithThem ? learners : [])]
    for (const id of this.#world.nodes.keys()) {
      if (side.includes(id)) continue
      for (const one of side) {
        this.#link(id, one).generation++
        this.#link(one, id).generation++
        this.cut(id, one)
        this.cut(one, id)
      }
      this.#notice(id, victim)
    }
  }

  #notice(id: NodeId, peer: NodeId): void {
    this.#world.after(this.#delay(), () => this.#world.nodes.get(id)?.connectionLost(peer))
  }

  send(message: Message): void {
    const { options, random } = this.#world
    if (message.type === 'snapshot-request') return this.#stream(message)
    if (this.#isLost(message)) return
    this.#deliver(message)
    if (this.#world.isFaulty && random() < options.duplicateRate) this.#deliver(message)
  }

  /**
   * One way of a request: `deliver` on the other side, twice now and then. When the connection breaks
   * before, `broken` is called on this one; what a cut swallows nobody hears of.
   */
  carry(way: { from: NodeId; to: NodeId }, deliver: () => void, broken: () => void): void {
    const { options, random, nodes } = this.#world
    if (this.#isLost(way)) return
    const once = (): void =>
      this.#arrive(
        way,
        this.#delay(),
        () => nodes.get(way.to)?.run(deliver),
        () => this.#world.after(this.#delay(), () => nodes.get(way.from)?.run(broken)),
      )
    once()
    if (this.#world.isFaulty && random() < options.duplicateRate) once()
  }

  /** A connection is made, or refused where nothing runs: TCP repeats what is lost. */
  dial(from: NodeId, to: NodeId, then: () => void): void {
    if (this.isCut(from, to) || this.isCut(to, from)) return
    const slowMs = this.#link(from, to).slowMs + this.#link(to, from).slowMs
    this.#world.after(2 * this.#delay() + slowMs, () => this.#world.nodes.get(from)?.run(then))
  }

  #isLost({ from, to }: { from: NodeId; to: NodeId }): boolean {
    const { options, random } = this.#world
    return this.isCut(from, to) || (this.#world.isFaulty && random() < options.lossRate)
  }

  #deliver(message: Message): void {
    this.#arrive(message, this.#delay(), () => {
      const node = this.#world.nodes.get(message.to)
      node?.act((driver) => {
        const { state } = driver.raft
        if (isAnswer(message) && message.term === state.term) node.heard(message.from)
        if (!this.#isAdmitted(message)) return
        const ignored = node.server?.step(this.#world.options.vagueHints ? vague(message) : message)
        if (ignored === 'not-a-member') this.#askAbout(message.from, message.to)
        this.#world.trace(
          () =>
            `${message.to} gets ${printMessage(message)}${ignored ? ` (ignored: ${ignored})` : ''}`,
        )
      })
    })
  }

  /**
   * What `Vouching` does (src/replica/cluster/vouching.ts): those whom `asking` knows say whether `stranger` is a member;
   * when none of them can be reached or knows a leader, it may speak for itself.
   */
  #askAbout(stranger: NodeId, asking: NodeId): void {
    const key = `${asking} about ${stranger}`
    if (this.#asked.has(key)) return
    this.#asked.add(key)
    const answer = (whom: NodeId): { isMember: boolean; hasLeader: boolean } | undefined => {
      const node = this.#world.nodes.get(whom)
      const isReached = !this.isCut(asking, whom) && !this.isCut(whom, asking)
      if (node?.driver === undefined || node.isStill || !isReached) return undefined
      const { config, leader } = node.driver.raft.state
      return { isMember: isMember(config, stranger), hasLeader: leader !== undefined }
    }
    this.#world.after(2 * this.#delay(), () => {
      this.#asked.delete(key)
      this.#world.nodes.get(asking)?.act((driver) => {
        const others = members(driver.raft.state.config).filter((id) => id !== asking)
        const answers = others.map((id) => answer(id))
        const isVouched =
          answers.some((given) => given?.isMember === true) ||
          (answers.every((given) => given?.hasLeader !== true) &&
            answer(stranger)?.isMember === true)
        if (isVouched) driver.raft.vouch(stranger)
        this.#world.trace(() => `${asking} asks about ${stranger}: ${isVouched}`)
      })
    })
  }

  /** The greetings let only servers of one cluster and one epoch talk to each other. */
  #isAdmitted({ from, to }: { from: NodeId; to: NodeId }): boolean {
    const { nodes } = this.#world
    const [a, b] = [nodes.get(from)?.disk, nodes.get(to)?.disk]
    // A message of a server that has ended since is judged by what it was.
    if (a === undefined || b === undefined) return true
    if (a.meta('clusterId') !== b.meta('clusterId')) return false
    return Number(a.meta('epoch') ?? 0) === Number(b.meta('epoch') ?? 0)
  }

  /** The file arrives whole, or the stream breaks; the sender hears which, sooner or later. */
  #stream(message: Extract<Message, { type: 'snapshot-request' }>): void {
    const { nodes } = this.#world
    const { from, to, snapshot } = message
    const file = nodes.get(from)?.machine.files.get(snapshot.index)
    const report = (ok: boolean) =>
      this.#world.after(this.#delay() + (ok ? 0 : 200), () => {
        nodes.get(from)?.run(({ raft }) => raft?.snapshotSent(to, ok))
        // A stream breaks with its connection.
        if (!ok) this.#notice(from, to)
      })
    if (file === undefined || this.#isLost(message)) return report(false)
    this.#arrive(
      message,
      this.#delay() + 20 + this.#world.random() * 200,
      () => {
        const receiver = nodes.get(to)
        if (receiver === undefined || !receiver.isUp || this.isCut(from, to)) return report(false)
        receiver.act(() => {
          if (!this.#isAdmitted(message)) return
          receiver.machine.files.set(snapshot.index, file)
          const ignored = receiver.server?.step(message)
          if (ignored === 'not-a-member') this.#askAbout(from, to)
          this.#world.trace(() => `${to} gets ${printMessage(message)}`)
        })
        report(true)
      },
      () => report(false),
    )
  }

  #arrive(
    { from, to }: { from: NodeId; to: NodeId },
    delayMs: number,
    then: () => void,
    broken?: () => void,
  ): void {
    const link = this.#link(from, to)
    const { nowMs, options } = this.#world
    const { generation } = link
    let atMs = nowMs + delayMs + link.slowMs
    if (!this.#world.isFaulty || !options.faults.has('reordering')) {
      // One connection: what was sent first arrives first.
      atMs = Math.max(atMs, link.lastArrivalMs)
      link.lastArrivalMs = atMs
    }
    this.#world.after(atMs - nowMs, () => {
      if (link.generation === generation) then()
      else broken?.()
    })
  }

  #delay(): number {
    const { random, options } = this.#world
    const delayMs = 0.1 - Math.log(1 - random()) * options.delayMs
    return this.#world.isFaulty ? delayMs : Math.min(delayMs, 60)
  }

  #link(from: NodeId, to: NodeId): Link {
    const key = `${from}>${to}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { generation: 0, isCut: false, slowMs: 0, lastArrivalMs: 0 }
      this.#links.set(key, link)
    }
    return link
  }
}
