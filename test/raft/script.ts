import { InvariantError, must } from '../../src/base/assert.ts'
import { decodeConfig } from '../../src/raft/config.ts'
import type { ConfChange } from '../../src/raft/membership.ts'
import type { Entry, NodeId } from '../../src/raft/entry.ts'
import type { Message } from '../../src/raft/message.ts'
import type { RaftLimits, RaftOptions } from '../../src/raft/options.ts'
import type { Command } from '../helpers/datadriven.ts'
import { bytes, campaign, TestCluster, testLimits, text, tick } from './harness.ts'
import type { TestNode } from './harness.ts'

/** The commands of golden scripts, over one cluster. Each grammar stands above its method. */
export class Script {
  #cluster = new TestCluster([])
  readonly #crashed = new Map<NodeId, TestNode>()

  run(command: Command): string {
    const commands: Record<string, (command: Command) => string> = {
      cluster: (c) => this.#create(c),
      add: (c) => this.#add(c),
      campaign: (c) => this.#each(c.words, (node) => campaign(node.raft)),
      tick: (c) => this.#tick(c),
      settle: (c) => this.#settle(c),
      run: (c) => this.#runNode(c),
      deliver: (c) => this.#deliver(c),
      drop: (c) => this.#drop(c),
      propose: (c) => this.#propose(c),
      conf: (c) => this.#conf(c),
      read: (c) => json(this.#node(c).raft.readIndex(Number(c.words[1]))),
      transfer: (c) => json(this.#node(c).raft.transfer(c.words[1] ?? '')),
      step: (c) => this.#step(c),
      'connection-lost': (c) => this.#event(c, (node, peer) => node.raft.connectionLost(peer)),
      vouch: (c) => this.#event(c, (node, peer) => node.raft.vouch(peer)),
      unreachable: (c) => this.#event(c, (node, peer) => node.raft.unreachable(peer)),
      'snapshot-sent': (c) =>
        this.#event(c, (node, peer) => node.raft.snapshotSent(peer, c.options['ok'] === 'true')),
      'hold-disk': (c) => this.#each(c.words, (node) => (node.store.isHeld = true)),
      sync: (c) => this.#sync(c),
      crash: (c) => this.#crash(c),
      restart: (c) => this.#restart(c),
      snapshot: (c) => this.#snapshot(c),
      status: (c) => this.#status(c),
      peers: (c) => this.#peers(c),
      log: (c) => this.#each(c.words, (node) => printLog(node)),
      applied: (c) => this.#each(c.words, (node) => node.machine.values.join(' ')),
      reads: (c) => this.#each(c.words, (node) => node.reads.splice(0).join('\n')),
    }
    const found = commands[command.name]
    if (found === undefined) return `unknown command ${command.name}`
    try {
      return found(command)
    } catch (error) {
      if (error instanceof InvariantError) return `dies: ${error.message}`
      throw error
    }
  }

  /** `cluster 1 2 3 learners=4 limitName=number pre-vote=off`: one fresh cluster. */
  #create({ words, options }: Command): string {
    const limits: Record<string, number> = { ...testLimits }
    for (const [name, value] of Object.entries(options))
      if (name in limits) limits[name] = Number(value)
    const learners = options['learners']?.split(',') ?? []
    const raftOptions: Partial<RaftOptions> = {
      limits: limits as unknown as RaftLimits,
      preVote: options['pre-vote'] !== 'off',
      checkQuorum: options['check-quorum'] !== 'off',
    }
    this.#cluster = new TestCluster(words, raftOptions, learners)
    return ''
  }

  /** `add 4`: a server with an empty disk. */
  #add({ words }: Command): string {
    for (const id of words) this.#cluster.add(id)
    return ''
  }

  /** `tick 1 5`: five ticks of server 1. */
  #tick({ words: [id = '', count = '1'] }: Command): string {
    tick(this.#cluster.node(id).raft, Number(count))
    return ''
  }

  /** `settle cut=1,2`: run and deliver until all is quiet; nothing passes to or from `cut`. */
  #settle({ options }: Command): string {
    const cut = new Set(options['cut']?.split(','))
    this.#cluster.settle((message) => cut.has(message.from) || cut.has(message.to))
    return ''
  }

  /** `run 1`: what the server sends, writes and applies now; its messages wait for `deliver`. */
  #runNode({ words }: Command): string {
    return this.#each(words, (node) => {
      const before = node.machine.index
      const messages = node.take()
      this.#cluster.queue.push(...messages)
      const lines = messages.map(printMessage)
      if (node.machine.index > before) lines.push(`applied ${node.machine.index}`)
      lines.push(...node.reads.splice(0))
      return lines.length === 0 ? 'nothing' : lines.join('\n')
    })
  }

  /** `deliver to=2 from=1 type=heartbeat`: the waiting messages that fit, in order. */
  #deliver({ options }: Command): string {
    const { fits, rest } = this.#split(options)
    this.#cluster.queue = rest
    const lines = fits.map((message) => {
      const ignored = this.#cluster.nodes.get(message.to)?.raft.step(message)
      return `${printMessage(message)}${ignored === undefined ? '' : ` => ignored: ${ignored}`}`
    })
    return lines.length === 0 ? 'nothing' : lines.join('\n')
  }

  /** `drop to=2`: the waiting messages that fit are lost. */
  #drop({ options }: Command): string {
    const { fits, rest } = this.#split(options)
    this.#cluster.queue = rest
    return fits.length === 0 ? 'nothing' : fits.map(printMessage).join('\n')
  }

  #split(options: Command['options']): { fits: Message[]; rest: Message[] } {
    const isFit = (message: Message) =>
      (options['to'] ?? message.to) === message.to &&
      (options['from'] ?? message.from) === message.from &&
      (options['type'] ?? message.type) === message.type
    const { queue } = this.#cluster
    return { fits: queue.filter(isFit), rest: queue.filter((message) => !isFit(message)) }
  }

  /** `propose 1 a b`: one batch; `propose 1 size=1000`: one command of so many bytes. */
  #propose({ words: [id = '', ...values], options }: Command): string {
    const size = options['size']
    const data = size === undefined ? values.map(bytes) : [new Uint8Array(Number(size))]
    return json(this.#cluster.node(id).raft.propose(data))
  }

  /** `conf 1 promote 4 force=true` */
  #conf({ words: [id = '', kind, target = ''], options }: Command): string {
    const force = options['force'] === 'true'
    const change = { kind, id: target, address: `${target}:8300`, force } as ConfChange
    return json(this.#cluster.conf(id, change))
  }

  /** `step {json of a message}`: entries are written `index/term/kind/text`. */
  #step({ words, input }: Command): string {
    const raw = JSON.parse(words.join(' ') || input.join(' ')) as Message & { entries?: string[] }
    const entries = raw.entries?.map((value): Entry => {
      const [index, term, kind, data = ''] = value.split('/')
      return {
        index: Number(index),
        term: Number(term),
        kind: kind as Entry['kind'],
        data: bytes(data),
      }
    })
    const message = (entries === undefined ? raw : { ...raw, entries }) as Message
    const node = this.#cluster.node(message.to)
    const ignored = node.raft.step(message)
    const answers = node.take().map(printMessage)
    return [ignored === undefined ? 'taken' : `ignored: ${ignored}`, ...answers].join('\n')
  }

  #event({ words: [id = '', peer = ''] }: Command, fn: (node: TestNode, peer: NodeId) => void) {
    fn(this.#cluster.node(id), peer)
    return ''
  }

  #sync({ words: [id = ''], options }: Command): string {
    const node = this.#cluster.node(id)
    if (options['hold'] === 'false') node.store.isHeld = false
    return node.store.sync() ? '' : 'nothing to write'
  }

  /** `crash 1`, and `restart 1` on the same disk; `restart` alone does both. */
  #crash({ words }: Command): string {
    return this.#each(words, (node) => {
      this.#crashed.set(node.options.id, node)
      this.#cluster.nodes.delete(node.options.id)
    })
  }

  #restart({ words }: Command): string {
    for (const id of words) {
      const node = this.#crashed.get(id) ?? this.#cluster.node(id)
      this.#crashed.delete(id)
      this.#cluster.nodes.set(id, node.restart())
    }
    return ''
  }

  /** `snapshot 1 compact=7`: a snapshot at the applied index, and the log dropped up to 7. */
  #snapshot({ words: [id = ''], options }: Command): string {
    const { driver } = this.#cluster.node(id)
    const meta = must(driver.raft.snapshotMeta())
    driver.saveSnapshot(meta)
    const to = Number(options['compact'] ?? meta.index)
    driver.compact({ to, durableApplied: meta.index, evenIfNeeded: to })
    return `snapshot at ${meta.index}/${meta.term}, first index ${driver.raft.state.log.firstIndex}`
  }

  #status({ words }: Command): string {
    const ids = words.length > 0 ? words : [...this.#cluster.nodes.keys()]
    return this.#each(ids, ({ raft }) => {
      const { id, role, term, leader, lastIndex, commit, config } = raft.status()
      const learners = config.learners.length > 0 ? ` learners=${config.learners.join(',')}` : ''
      return (
        `${id}: ${role} term=${term} leader=${leader ?? 'none'} last=${lastIndex} ` +
        `commit=${commit} voters=${config.voters.join(',')}${learners}`
      )
    })
  }

  #peers({ words: [id = ''] }: Command): string {
    return this.#cluster
      .node(id)
      .raft.status()
      .peers.map((peer) => {
        const flags = `${peer.isActive ? ' active' : ''}${peer.isCaughtUp ? ' caught-up' : ''}`
        return `${peer.id}: ${peer.state} match=${peer.match} next=${peer.next}${flags}`
      })
      .join('\n')
  }

  #node({ words: [id = ''] }: Command): TestNode {
    return this.#cluster.node(id)
  }

  #each(ids: readonly NodeId[], fn: (node: TestNode) => unknown): string {
    const lines = ids.map((id) => fn(this.#cluster.node(id)))
    return lines.filter((line) => typeof line === 'string').join('\n')
  }
}

function json(value: object): string {
  const pairs = Object.entries(value).map(([key, one]) => (key === 'kind' ? one : `${key}=${one}`))
  return pairs.join(' ')
}

function printLog({ raft, options }: TestNode): string {
  const { log } = raft.state
  const entries: Entry[] = []
  while (log.firstIndex + entries.length <= log.lastIndex) {
    entries.push(...log.entries(log.firstIndex + entries.length, log.lastIndex, Infinity))
  }
  return `${options.id}: ${entries.map(printEntry).join(' ')}`
}

function printEntry({ index, term, kind, data }: Entry): string {
  if (kind === 'noop') return `${index}/${term}:noop`
  if (kind === 'command') return `${index}/${term}:${data.length > 20 ? data.length : text(data)}`
  const config = decodeConfig(data)
  const learners = config?.learners.map((id) => `(${id})`) ?? []
  return `${index}/${term}:config[${[...(config?.voters ?? []), ...learners].join(',')}]`
}

export function printMessage(message: Message): string {
  const head = `${message.from}->${message.to} ${message.type} term=${message.term}`
  switch (message.type) {
    case 'vote-request':
    case 'pre-vote-request': {
      const transfer = message.type === 'vote-request' && message.transfer ? ' transfer' : ''
      return `${head} last=${message.lastIndex}/${message.lastTerm}${transfer}`
    }
    case 'vote-response':
    case 'pre-vote-response':
      return `${head} ${message.granted ? 'granted' : 'refused'}`
    case 'append-request': {
      const { prevIndex, prevTerm, entries, commit } = message
      return `${head} prev=${prevIndex}/${prevTerm} [${entries.map(printEntry).join(' ')}] commit=${commit}`
    }
    case 'append-response': {
      const hint = message.rejected ? ` rejected hint=${message.hintIndex}/${message.hintTerm}` : ''
      return `${head} index=${message.index}${hint}`
    }
    case 'heartbeat':
      return `${head} commit=${message.commit} token=${message.readToken}`
    case 'heartbeat-response':
      return `${head} token=${message.readToken}`
    case 'snapshot-request':
      return `${head} snapshot=${message.snapshot.index}/${message.snapshot.term}`
    case 'read-request':
      return `${head} id=${message.id}`
    case 'read-response':
      return `${head} id=${message.id} index=${message.index}`
    case 'timeout-now':
      return head
  }
}
