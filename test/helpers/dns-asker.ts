import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import { decodeReply } from '../../src/net/dns-client.ts'
import type { DnsReply } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'

/** Asks by UDP from one port, each question once. */
export class DnsAsker {
  readonly #socket: Socket
  readonly #waiting = new Map<number, (answer: Buffer) => void>()
  #id = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (answer) => {
      const id = answer.readUInt16BE()
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
  }

  static async open(t: Test, port: number): Promise<DnsAsker> {
    const socket = createSocket('udp4')
    t.teardown(() => socket.close())
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new DnsAsker(socket)
  }

  static all(t: Test, port: number, count: number): Promise<readonly DnsAsker[]> {
    return Promise.all(Array.from({ length: count }, () => DnsAsker.open(t, port)))
  }

  /** Rejects when no answer comes. */
  async ask(name: string, type = 'A', timeoutMs = 5000): Promise<DnsReply> {
    this.#id = (this.#id + 1) & 0xffff
    const id = this.#id
    this.#socket.send(buildQuery(name, type, { id, edns: 1232 }))
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new Error(`no answer within ${timeoutMs} ms for ${name} ${type}`))
      }, timeoutMs).unref()
      this.#waiting.set(id, (bytes) => {
        clearTimeout(timer)
        resolve(bytes)
      })
    })
    return decodeReply(answer)
  }
}

/** The addresses that an answer names, in order: of A questions, or of SRV ones with their glue. */
export function addressesIn({ answer, additional }: DnsReply): string {
  const found = [...answer, ...additional].filter(({ type }) => type === 'A')
  return found
    .map(({ data }) => data)
    .toSorted()
    .join(' ')
}
