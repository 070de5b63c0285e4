import type { Logger } from '../../base/log.ts'
import { SvcdError, reasonOf } from '../../base/errors.ts'
import type { NodeId } from '../../raft/entry.ts'
import { WaitingNotice } from './waiting-notice.ts'

/** What a server tells the others while they look for each other (request `info`). */
export interface ServerInfo {
  readonly id: NodeId
  readonly name: string
  /** `host:port` of its peer listener. */
  readonly address: string
  /** Servers that it waits for before a new cluster starts. */
  readonly expect: number
  /** Undefined: in no cluster yet. */
  readonly clusterId: string | undefined
  /** How often that cluster was recovered from the loss of its quorum. */
  readonly epoch: number
  /** Of the cluster that it is in: the voters it began with, by id; empty when it does not know. */
  readonly founders: Readonly<Record<NodeId, string>>
  /** Told to members: where this server reaches the others. Older releases do not say it. */
  readonly places?: Readonly<Record<NodeId, string>>
}

/** A promise, kept on disk, to be a founder of one cluster and of no other. */
export interface Pledge {
  readonly clusterId: string
  /** The server that starts it, once all founders have pledged. */
  readonly by: NodeId
  readonly founders: Readonly<Record<NodeId, string>>
  /** Clusters that will never start, as the servers that would have started them said. */
  readonly released: readonly string[]
}

export interface PledgeReply {
  readonly pledged: boolean
  /** To which other cluster this server has pledged itself, and who would start that. */
  readonly instead?: { readonly clusterId: string; readonly by: NodeId } | undefined
}

export interface FormationParts {
  readonly self: Pick<ServerInfo, 'id' | 'name' | 'address' | 'expect'>
  /** Addresses at which others may be found. */
  readonly retryJoin: readonly string[]
  /** Addresses of servers that have a cluster and dial this one as a member of it. */
  readonly invitedBy: () => readonly string[]
  readonly pledge: () => Pledge | undefined
  /** Durable when it returns. */
  readonly setPledge: (pledge: Pledge) => void
  readonly newClusterId: () => string
  readonly request: <T>(address: string, kind: string, body: unknown) => Promise<T>
  /** Becomes a founder: writes the first entry and the cluster's id. */
  readonly found: (clusterId: string, founders: Readonly<Record<NodeId, string>>) => void
  /** Becomes a member of a cluster that runs: it sends everything else. */
  readonly join: (clusterId: string, epoch: number) => void
  readonly logger: Logger
  readonly nowMs: () => number
}

/** How a server without a cluster finds or founds one. One {@link attempt} after the other. */
export class ClusterFormation {
  readonly #parts: FormationParts
  readonly #addresses: string[]
  readonly #waiting: WaitingNotice
  #problems: string[] = []
  #lastProblem = ''

  constructor(parts: FormationParts) {
    this.#parts = parts
    this.#addresses = [...parts.retryJoin]
    this.#waiting = new WaitingNotice(parts.logger, parts.nowMs)
  }

  /** One more place where others may be found. */
  add(address: string): void {
    if (!this.#addresses.includes(address)) this.#addresses.push(address)
  }

  /** The server at an address. */
  ask(address: string): Promise<ServerInfo> {
    return this.#parts.request<ServerInfo>(address, 'info', {})
  }

  /** Why the last attempt failed. */
  get lastProblem(): string {
    return this.#lastProblem
  }

  /**
   * Tries once. Returns true when this server has a cluster. Otherwise it logs the reason in one line, when
   * the reason changes and then from time to time.
   */
  async attempt(): Promise<boolean> {
    this.#problems = []
    const isDone = await this.#attempt()
    if (!isDone && this.#problems.length > 0) this.#waiting.say(this.#problems.join('; '))
    return isDone
  }

  async #attempt(): Promise<boolean> {
    const { self } = this.#parts
    const others = await this.#lookAround()
    for (const other of others) {
      if (other.clusterId !== undefined && (await this.#enter(other, other.clusterId))) return true
    }
    // A second cluster beside the one that is there would be a mistake, whatever was expected.
    if (others.some(({ clusterId }) => clusterId !== undefined)) return false
    if (self.expect === 1) return this.#foundAlone()
    return self.expect > 1 && (await this.#foundWith(others))
  }

  /** The answer to another server that would found a cluster with this one. */
  onPledgeRequest(asked: Pledge, hasCluster: boolean): PledgeReply {
    const { self, pledge, setPledge } = this.#parts
    if (hasCluster) return { pledged: false }
    const present = pledge()
    const isFree =
      present === undefined ||
      present.clusterId === asked.clusterId ||
      asked.released.includes(present.clusterId) ||
      // It gives up its own attempt for that of a lower id: after this pledge its own can never start.
      (present.by === self.id && asked.by < self.id)
    if (!isFree) return { pledged: false, instead: present }
    setPledge(asked)
    return { pledged: true }
  }

  #foundAlone(): boolean {
    const { self, found } = this.#parts
    const own = this.#pledgeItself({ [self.id]: self.address })
    if (own === undefined) {
      const by = this.#parts.pledge()?.by ?? ''
      this.#report(
        `this server has promised to form a cluster with server ${by}: start that server, or empty the data directory of this one`,
      )
      return false
    }
    found(own.clusterId, own.founders)
    return true
  }

  /**
   * Its pledge to its own attempt, on disk before anything else of it: if the process stops after the first
   * entry, the pledge says which cluster that entry began. Undefined: it has pledged itself to another server.
   */
  #pledgeItself(founders: Readonly<Record<NodeId, string>>): Pledge | undefined {
    const { self, pledge, setPledge, newClusterId } = this.#parts
    const present = pledge()
    if (present !== undefined && present.by !== self.id) return undefined
    const isSame = present !== undefined && sameKeys(present.founders, founders)
    // A server that pledged itself to the earlier attempt, with other founders, is free: that attempt never starts.
    const released = present === undefined ? [] : [...present.released, present.clusterId]
    const own = isSame ? present : { clusterId: newClusterId(), by: self.id, founders, released }
    setPledge(own)
    return own
  }

  async #lookAround(): Promise<readonly ServerInfo[]> {
    const { invitedBy, self } = this.#parts
    const found = new Map<NodeId, ServerInfo>()
    const addresses = [...new Set([...this.#addresses, ...invitedBy()])]
    const answers = await Promise.allSettled(addresses.map((address) => this.ask(address)))
    const [missing, refusing]: [string[], string[]] = [[], []]
    for (const [at, answer] of answers.entries()) {
      const address = addresses[at] ?? ''
      if (answer.status === 'fulfilled') {
        if (answer.value.id !== self.id) found.set(answer.value.id, answer.value)
      } else if (hasCode(answer.reason, 'peer-refuses-connection')) refusing.push(address)
      // Its own address may well be among them.
      else if (!hasCode(answer.reason, 'peer-is-self')) missing.push(address)
    }
    // The transport has logged the reason for each.
    if (missing.length > 0) this.#report(`cannot reach ${missing.join(', ')}`)
    if (refusing.length > 0) {
      this.#report(`the connection to ${refusing.join(', ')} was refused (the log has the reason)`)
    }
    return [...found.values()]
  }

  async #enter(other: ServerInfo, clusterId: string): Promise<boolean> {
    const { self, pledge, found, request, join } = this.#parts
    const own = pledge()
    if (own?.clusterId === clusterId) {
      // This server has pledged itself to that cluster: it begins with the same entry as the other founders.
      found(clusterId, own.founders)
      return true
    }
    if (self.id in other.founders) {
      // Without its pledge this server has lost what it knew: it must not vote under this id again.
      this.#report(
        `the cluster at ${other.address} knows this server's ID, but the data of this server is gone`,
      )
      return false
    }
    const { id, name, address } = self
    try {
      await request(other.address, 'join', { id, name, address })
    } catch (error) {
      this.#report(`joining the cluster at ${other.address} failed: ${reasonOf(error)}`)
      return false
    }
    join(clusterId, other.epoch)
    return true
  }

  async #foundWith(others: readonly ServerInfo[]): Promise<boolean> {
    const { self, pledge, found } = this.#parts
    const odd = others.find(({ expect }) => expect !== self.expect)
    if (odd !== undefined) {
      this.#report(
        `${odd.name} at ${odd.address} has -bootstrap-expect ${odd.expect}, but this server has ${self.expect}; all servers need the same value`,
      )
      return false
    }
    const founders = [self, ...others].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    if (founders.length < self.expect) {
      this.#report(`found ${founders.length} of ${self.expect} servers`)
      return false
    }
    const chosen = founders.slice(0, self.expect)
    if (chosen[0]?.id !== self.id) return false
    const addresses = Object.fromEntries(chosen.map(({ id, address }) => [id, address]))
    const own = this.#pledgeItself(addresses)
    if (own === undefined) return false
    for (const other of others) {
      if (!(other.id in addresses)) continue
      if (!(await this.#askPledge(other, own, others))) return false
    }
    // While it waited for the others, it may have pledged itself to a lower id.
    if (pledge()?.clusterId !== own.clusterId) return false
    found(own.clusterId, addresses)
    return true
  }

  async #askPledge(
    other: ServerInfo,
    own: Pledge,
    others: readonly ServerInfo[],
  ): Promise<boolean> {
    const { request } = this.#parts
    try {
      const reply = await request<PledgeReply>(other.address, 'pledge', own)
      if (reply.pledged) return true
      const { instead } = reply
      const starter = others.find(({ id }) => id === instead?.by)
      if (instead === undefined || starter === undefined) return false
      // The server that would have started the other cluster pledges itself to this one: then that never starts.
      const given = await request<PledgeReply>(starter.address, 'pledge', own)
      if (!given.pledged) return false
      const released = [...own.released, instead.clusterId]
      return (await request<PledgeReply>(other.address, 'pledge', { ...own, released })).pledged
    } catch (error) {
      this.#report(
        `${other.name} at ${other.address} did not agree to form the cluster: ${reasonOf(error)}`,
      )
      return false
    }
  }

  /** Notes what keeps the cluster from forming. */
  #report(problem: string): void {
    this.#lastProblem = problem
    this.#problems.push(problem)
  }
}

function hasCode(error: unknown, code: SvcdError['code']): boolean {
  return error instanceof SvcdError && error.code === code
}

function sameKeys(a: object, b: object): boolean {
  const [one, two] = [Object.keys(a).toSorted(), Object.keys(b).toSorted()]
  return one.length === two.length && one.every((key, at) => key === two[at])
}
