import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { isMapped } from '../../base/ip-prefixes.ts'
import { formatIp } from '../../base/ip.ts'
import { loopbackBytesMax } from '../packet-responder.ts'
import type { MessageBlock } from './message-block.ts'
import type { PacketAsker } from '../packet-responder.ts'
import type { UdpSocket } from './socket.ts'

/** Who sent the packet it was turned to, read from the system's structures only when asked for. */
export class MmsgAsker implements PacketAsker {
  readonly transport = 'udp'
  readonly fd: number
  /** Holds until the asker is turned to another packet. */
  readonly source: { readonly bytes: Uint8Array; at: number; length: number }
  pathBytesMax = 0
  receivedMs = 0
  /** Whether many answers may be sent as one message. */
  canSegment: boolean
  readonly #block: MessageBlock
  readonly #bytes: Uint8Array
  readonly #own: Uint8Array
  readonly #farBytesMax: number
  #nameAt = 0

  readonly #recursion: IpPrefixes | undefined

  constructor(
    block: MessageBlock,
    { fd, address, canSegment }: UdpSocket,
    farBytesMax: number,
    recursion: IpPrefixes | undefined,
  ) {
    this.#recursion = recursion
    this.fd = fd
    this.canSegment = canSegment
    this.#block = block
    this.#bytes = block.bytes
    this.#own = address
    this.source = { bytes: block.bytes, at: 0, length: address.length }
    this.#farBytesMax = farBytesMax
  }

  get client(): string {
    const start = this.#addressAt()
    return formatIp(this.#bytes.subarray(start, start + this.#own.length))
  }

  get mayRecurse(): boolean {
    return this.#recursion?.contains(this.#bytes, this.#addressAt(), this.#own.length) ?? false
  }

  /** Also makes the answer leave from the address that was asked, by whichever way leads back. */
  turnTo(n: number): void {
    this.#nameAt = this.#block.nameAt(n)
    const info = this.#block.packetInfoAt(n)
    if (info !== undefined) this.#clearInterface(info)
    this.pathBytesMax = this.#isLocal(info) ? loopbackBytesMax : this.#farBytesMax
    const at = this.#addressAt()
    const isShortened = this.#own.length === 16 && isMapped(this.#bytes, at)
    this.source.at = isShortened ? at + 12 : at
    this.source.length = isShortened ? 4 : this.#own.length
  }

  #addressAt(): number {
    return this.#nameAt + (this.#own.length === 4 ? 4 : 8)
  }

  /**
   * struct in_pktinfo is interface, own address, destination; in6_pktinfo is destination, interface.
   * A link-local address means nothing without its interface.
   */
  #clearInterface(info: number): void {
    const bytes = this.#bytes
    if (this.#own.length === 16 && bytes[info] === 0xfe && ((bytes[info + 1] ?? 0) & 0xc0) === 0x80)
      return
    const at = this.#own.length === 4 ? info : info + 16
    bytes.fill(0, at, at + 4)
  }

  #isLocal(info: number | undefined): boolean {
    const at = this.#addressAt()
    const bytes = this.#bytes
    const length = this.#own.length
    if (length === 4) {
      if (bytes[at] === 127) return true
    } else if (isLoopback6(bytes, at)) {
      return true
    }
    // A client with the very address that it asked is on this machine.
    if (info === undefined) return isSame(bytes, at, this.#own, 0, length)
    return isSame(bytes, at, bytes, length === 4 ? info + 8 : info, length)
  }
}

/** ::1, or an IPv4 one as a socket for both families shows it: ::ffff:127.0.0.0/104. */
function isLoopback6(bytes: Uint8Array, at: number): boolean {
  for (let each = at; each < at + 10; each++) if (bytes[each] !== 0) return false
  if (bytes[at + 10] === 0xff && bytes[at + 11] === 0xff) return bytes[at + 12] === 127
  for (let each = at + 10; each < at + 15; each++) if (bytes[each] !== 0) return false
  return bytes[at + 15] === 1
}

function isSame(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let at = 0; at < length; at++) if (a[aStart + at] !== b[bStart + at]) return false
  return true
}
