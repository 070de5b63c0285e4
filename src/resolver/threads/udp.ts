import { svcdError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Zone } from '../../dns/zone.ts'
import { loadLibc } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'
import { pathBytesDefault } from '../../net/packet-responder.ts'
import { openUdpSocket } from '../../net/udp/socket.ts'
import type { UdpSocket } from '../../net/udp/socket.ts'
import { Waker } from '../../net/udp/waker.ts'
import type { DnsRights } from '../dns-rights.ts'
import type { DnsFigures } from './counters.ts'
import type { DnsAnswering, DnsThreadUdp } from './messages.ts'
import { dnsThreadsDefault } from './default-threads.ts'
import type { RecursorWorker } from '../recursion/recursor-worker.ts'
import type { TrafficSample } from '../traffic/traffic-window.ts'
import { DeathCount } from './death-count.ts'
import { DnsWorker } from './worker.ts'

export interface DnsUdpOptions {
  readonly answering: DnsAnswering
  readonly addresses: readonly string[]
  readonly port: number
  /** `auto`: mmsg where it can be had. */
  readonly path: 'auto' | 'mmsg' | 'dgram'
  /** Undefined: as many as this machine can spare. dgram has one. */
  readonly threads: number | undefined
  /** Absent: queries for outside names are refused. */
  readonly recursor?: RecursorWorker | undefined
  readonly logger: Logger
  /** A read met what looks like damage of state.db. */
  readonly onSuspicion: (reason: string) => void
  readonly onDeath: (error: Error) => void
  /** Takes lines of the query log. */
  readonly onLines?: ((text: string) => void) | undefined
}

/** DNS over UDP: threads, and with mmsg the sockets, which stay open when a thread dies. */
export class DnsUdp {
  readonly #workers: readonly DnsWorker[]
  readonly #release: () => void

  private constructor(workers: readonly DnsWorker[], release: () => void) {
    this.#workers = workers
    this.#release = release
  }

  /** What each thread has done, in their order. */
  get figures(): readonly DnsFigures[] {
    return this.#workers.map((worker) => worker.figures)
  }

  /** Rejects with `port-in-use`, `bind-failed`, or `invalid-option` where mmsg is not available. */
  static async start(options: DnsUdpOptions): Promise<DnsUdp> {
    const { addresses, port, logger } = options
    const libc = libcFor(options.path, logger)
    if (libc === undefined) {
      const worker = await startWorker(options, { kind: 'dgram', addresses, port }, undefined)
      return new DnsUdp([worker], () => {})
    }
    const threads = options.threads ?? dnsThreadsDefault()
    const shares: Share[] = []
    const workers: DnsWorker[] = []
    const release = (): void => shares.forEach((share) => closeShare(libc, share))
    try {
      for (let n = 0; n < threads; n++) shares.push(openShare(libc, options, threads > 1))
      const deaths = new DeathCount()
      for (const { sockets, waker } of shares) {
        const udp = { kind: 'mmsg', sockets, waker: waker.handle } as const
        workers.push(await startWorker(options, udp, waker, deaths))
      }
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.stop()))
      release()
      throw error
    }
    logger.info({ threads }, 'DNS over UDP uses recvmmsg (batched)')
    return new DnsUdp(workers, release)
  }

  /** Resolves when all threads answer by it. */
  async setZone(zone: Zone): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.setZone(zone)))
  }

  /** As {@link setZone}. */
  async setRights(rights: DnsRights): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.setRights(rights)))
  }

  /** One query of so many gets a line in the query log; 0: none. */
  logEvery(every: number): void {
    for (const worker of this.#workers) worker.logEvery(every)
  }

  /** What each thread has seen of late. */
  async traffic(): Promise<readonly TrafficSample[]> {
    const samples = await Promise.all(this.#workers.map((worker) => worker.traffic()))
    return samples.filter((sample) => sample !== undefined)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    this.#release()
  }
}

/** What one thread holds: a socket for each address, and what it is called by. */
interface Share {
  readonly sockets: readonly UdpSocket[]
  readonly waker: Waker
}

function openShare(libc: Libc, options: DnsUdpOptions, isShared: boolean): Share {
  const sockets: UdpSocket[] = []
  const mayFragment = options.answering.udpSizeMax > pathBytesDefault
  try {
    for (const address of options.addresses) {
      sockets.push(openUdpSocket(libc, { address, port: options.port, isShared, mayFragment }))
    }
    return { sockets, waker: new Waker(libc) }
  } catch (error) {
    for (const { fd } of sockets) libc.close(fd)
    throw error
  }
}

function closeShare(libc: Libc, { sockets, waker }: Share): void {
  for (const { fd } of sockets) libc.close(fd)
  waker.close()
}

function startWorker(
  { answering, recursor, logger, onSuspicion, onDeath, onLines }: DnsUdpOptions,
  udp: DnsThreadUdp,
  waker: Waker | undefined,
  deaths = new DeathCount(),
): Promise<DnsWorker> {
  const common = { answering, recursor, logger, onSuspicion, onDeath, onLines }
  return DnsWorker.start({ ...common, udp, waker, deaths })
}

/** Undefined: dgram it is. */
function libcFor(path: DnsUdpOptions['path'], logger: Logger): Libc | undefined {
  if (path === 'dgram') {
    logger.info({}, 'DNS over UDP uses dgram (one packet per system call), as set by -dns-udp')
    return undefined
  }
  const libc = loadLibc()
  if (!(libc instanceof Error)) return libc
  if (path === 'mmsg') {
    const reason = `mmsg is not available on this machine: ${libc.message}. Use auto or dgram.`
    throw svcdError('invalid-option', { option: '-dns-udp', reason }, libc)
  }
  logger.info({ reason: libc.message }, 'DNS over UDP uses dgram (one packet per system call)')
  return undefined
}
