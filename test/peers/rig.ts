import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { seededRandom } from '../../src/base/random.ts'
import { openPeerTransport } from '../../src/peers/transport.ts'
import type { Server, Socket } from 'node:net'
import type { Test } from 'tap'
import type { PeerLimits } from '../../src/peers/limits.ts'
import type { PeerTransportOptions } from '../../src/peers/options.ts'
import type { SnapshotFile } from '../../src/peers/snapshots/transfer.ts'
import type { PeerTransport } from '../../src/peers/transport.ts'
import type { Message } from '../../src/raft/message.ts'
import type { SnapshotMeta } from '../../src/raft/storage.ts'

/** Short enough for tests; long enough for a loaded machine. */
const limits: Partial<PeerLimits> = {
  sweepMs: 50,
  silentSweepsMax: 20,
  reconnectMsMax: 100,
  snapshotRetryMs: 10,
}

type Overrides = Partial<Omit<PeerTransportOptions, 'limits'>> & {
  limits?: Partial<PeerLimits>
}

/** One transport, and all that it said. */
export class PeerRig {
  readonly id: string
  clusterId: string | undefined = 'c1'
  transport!: PeerTransport
  readonly messages: Message[] = []
  readonly lines: string[] = []
  readonly events: string[] = []
  /** What the snapshot stream reads, and what was finished. */
  file = Buffer.alloc(0)
  announced: string | undefined
  readonly received: Buffer[] = []
  onChunk: ((offset: number) => void) | undefined
  readonly #waiting = new Set<() => void>()

  constructor(id: string) {
    this.id = id
  }

  get address(): string {
    return this.transport.address
  }

  changed(): void {
    for (const look of this.#waiting) look()
  }

  /** Resolves as soon as `condition` holds, looked at after everything that happens here. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (condition()) end(resolve)
      }
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        clearInterval(poll)
        this.#waiting.delete(look)
        settle()
      }
      const timer = setTimeout(() => {
        const said = [...this.events, ...this.lines].join('\n')
        end(() => reject(new Error(`${this.id}: waited in vain for ${what}; it said:\n${said}`)))
      }, 10_000)
      // What the transport says only when asked, such as a counter.
      const poll = setInterval(look, 20)
      this.#waiting.add(look)
      look()
    })
  }

  connected(id: string): Promise<void> {
    return this.until(`a connection with ${id}`, () =>
      this.transport.peers().some((peer) => peer.id === id && peer.isConnected),
    )
  }

  said(pattern: RegExp): Promise<void> {
    return this.until(`a line ${pattern}`, () => this.lines.some((line) => pattern.test(line)))
  }

  event(name: string): Promise<void> {
    return this.until(name, () => this.events.includes(name))
  }

  options(overrides: Overrides): PeerTransportOptions {
    const note = (event: string): void => {
      this.events.push(event)
      this.changed()
    }
    const line = (_fields: object, text: string): void => {
      this.lines.push(text)
      this.changed()
    }
    return {
      self: { id: this.id, name: `name-${this.id}`, address: undefined },
      clusterId: () => this.clusterId,
      epoch: () => 0,
      protocol: { min: 1, max: 1 },
      listen: { address: '127.0.0.1', port: 0 },
      logger: { debug: line, info: line, warn: line, error: line },
      clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
      random: seededRandom(1),
      onMessage: (message) => {
        this.messages.push(message)
        this.changed()
      },
      onRequest: (from, kind, body) =>
        Promise.resolve(Buffer.from(`${from.id} ${kind} ${body.toString()}`)),
      onConnectionLost: (id) => note(`lost ${id}`),
      onUnreachable: (id) => note(`unreachable ${id}`),
      onHeard: () => this.changed(),
      onSnapshotSent: (id, ok) => note(`snapshot sent ${id} ${ok}`),
      snapshots: {
        open: (meta) => this.#openSnapshot(meta),
        receive: (from, meta, file) => this.#receiveSnapshot(from.id, meta, file),
      },
      ...overrides,
      limits: { ...limits, ...overrides.limits },
    }
  }

  async open(t: Test, overrides: Overrides = {}): Promise<this> {
    this.transport = await openPeerTransport(this.options(overrides))
    t.teardown(() => this.transport.close())
    return this
  }

  async #openSnapshot(meta: SnapshotMeta) {
    this.events.push(`open ${meta.index}`)
    const { file } = this
    return {
      size: file.length,
      sha256: this.announced ?? createHash('sha256').update(file).digest('hex'),
      read: async (offset: number, length: number) => file.subarray(offset, offset + length),
      close: async () => {
        this.events.push('source closed')
      },
    }
  }

  async #receiveSnapshot(from: string, meta: SnapshotMeta, { size }: SnapshotFile) {
    this.events.push(`receive ${from} ${meta.index} ${size}`)
    const chunks: Buffer[] = []
    return {
      write: async (offset: number, chunk: Buffer) => {
        this.onChunk?.(offset)
        chunks.push(Buffer.from(chunk))
      },
      finish: async () => {
        this.received.push(Buffer.concat(chunks))
        this.events.push('finished')
      },
      abort: async () => {
        this.events.push('aborted')
        this.changed()
      },
    }
  }
}

export function rig(t: Test, id: string, overrides: Overrides = {}): Promise<PeerRig> {
  return new PeerRig(id).open(t, overrides)
}

/** Makes them dial each other, and waits until all are connected. */
export async function join(...rigs: readonly PeerRig[]): Promise<void> {
  const peers = new Map(rigs.map((rig) => [rig.id, rig.address]))
  for (const { transport } of rigs) transport.setPeers(peers)
  for (const rig of rigs) {
    for (const other of rigs) {
      if (other === rig) continue
      await rig.connected(other.id)
      await rig.until(`its own connection to ${other.id}`, () =>
        rig.transport.peers().every((peer) => peer.lastError === undefined),
      )
    }
  }
}

export function heartbeat(from: string, to: string, commit = 1): Message {
  return { type: 'heartbeat', from, to, term: 1, commit, readToken: 0 }
}

/** A server of any kind, for what no right one would do. */
export async function rawServer(t: Test, onSocket: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const bound = server.address()
  return `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`
}

/** Hands bytes through to `target`, as long as `edit` lets them. */
export function proxy(
  t: Test,
  target: () => string,
  edit: (chunk: Buffer, direction: 'in' | 'out', socket: Socket) => Buffer | undefined,
): Promise<string> {
  return rawServer(t, (near) => {
    const [host, port] = target().split(':')
    const far = connect({ host: host ?? '', port: Number(port) })
    t.teardown(() => far.destroy())
    far.on('error', () => {})
    const pass = (from: Socket, to: Socket, direction: 'in' | 'out'): void => {
      from.on('data', (chunk: Buffer) => {
        const edited = edit(chunk, direction, near)
        if (edited !== undefined) to.write(edited)
      })
      from.on('close', () => to.destroy())
    }
    pass(near, far, 'in')
    pass(far, near, 'out')
  })
}
