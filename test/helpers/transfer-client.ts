import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { formatIp } from '../../src/base/ip.ts'
import { must } from '../../src/base/assert.ts'
import { formatName, readName } from '../../src/dns/name.ts'
import { formatType } from '../../src/dns/record.ts'
import { buildQuery } from '../dns/fixture.ts'
import { framed } from './dns-frames.ts'

/** A key for dig's `-y` and for `-tsig-key`. */
export const tsigKey = {
  name: 'transfer.example',
  secret: Buffer.from('a secret for transfers').toString('base64'),
} as const

export const tsigKeyText = `hmac-sha256:${tsigKey.name}:${tsigKey.secret}`

/** A record of a transfer. `data`: the address of A, the serial of SOA, and otherwise the octets. */
export interface TransferRecord {
  readonly name: string
  readonly type: string
  readonly data: string
}

/** The records of a message; dns2 would take a minute for a large zone. */
function recordsIn(message: Buffer): TransferRecord[] {
  const rcode = message.readUInt8(3) & 0x0f
  if (rcode !== 0) throw new Error(`RCODE ${rcode}`)
  let at = 12
  if (message.readUInt16BE(4) === 1) at = must(readName(message, at, message.length)).next + 4
  return Array.from({ length: message.readUInt16BE(6) }, () => {
    const { name, next } = must(readName(message, at, message.length))
    at = next + 10 + message.readUInt16BE(next + 8)
    const type = formatType(message.readUInt16BE(next))
    return { name: formatName(name), type, data: dataText(type, message.subarray(next + 10, at)) }
  })
}

function dataText(type: string, data: Buffer): string {
  if (type === 'SOA') return String(data.readUInt32BE(data.length - 20))
  return type === 'A' ? formatIp(data) : data.toString('latin1')
}

/** Asks for a zone, and reads nothing until `read` is called. */
export class TransferClient {
  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
  }

  static async ask(port: number, zone: string): Promise<TransferClient> {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    socket.pause()
    socket.write(framed(buildQuery(zone, 'AXFR')))
    return new TransferClient(socket)
  }

  /** All records, the two SOA records included. Rejects if the zone has no end. */
  async read(): Promise<readonly TransferRecord[]> {
    const records: TransferRecord[] = []
    let pending = Buffer.alloc(0)
    for await (const chunk of this.socket) {
      pending = Buffer.concat([pending, chunk as Buffer])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0)
        records.push(...recordsIn(pending.subarray(2, end)))
        pending = pending.subarray(end)
      }
      if (records.length > 1 && records.at(-1)?.type === 'SOA') return records
    }
    throw new Error(`the connection has ended after ${records.length} records`)
  }
}

/** Runs dig, and resolves with its output. */
export async function dig(port: number, ...words: readonly string[]): Promise<string> {
  const args = ['@127.0.0.1', '-p', String(port), '+time=10', '+tries=1', ...words]
  const { stdout } = await promisify(execFile)('dig', args, { maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: unknown) => error as { stdout: string },
  )
  return stdout
}
