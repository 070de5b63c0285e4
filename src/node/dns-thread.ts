import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../base/assert.ts'
import { SvcdError, reasonOf } from '../base/errors.ts'
import { listenUdp } from '../net/udp-dgram.ts'
import type { UdpListener } from '../net/udp-dgram.ts'
import { openAnswerer } from './dns-answering.ts'
import type { Answerer } from './dns-answering.ts'
import type { DnsWorkerData, FromDns, ToDns } from './dns-messages.ts'

// A dns thread: answers UDP questions from its own cache and its own read-only connection. It waits
// for nobody, neither for Raft nor for HTTP.

const port = must(parentPort, 'a dns thread runs in a worker')
const { answering, addresses, port: dnsPort } = workerData as DnsWorkerData

function post(message: FromDns): void {
  port.postMessage(message)
}

/** The packet that could not be answered, short enough for a log line. */
function onError(error: unknown, packet: Uint8Array): void {
  const hex = Buffer.from(packet).subarray(0, 128).toString('hex')
  post({ type: 'warn', fields: { reason: reasonOf(error), hex }, message: 'a DNS question failed' })
}

async function open(): Promise<{ answerer: Answerer; listeners: readonly UdpListener[] }> {
  const answerer = openAnswerer(answering, onError)
  const { responder } = answerer
  const pathBytesMax = answering.udpSizeMax
  const listeners: UdpListener[] = []
  for (const address of addresses) {
    listeners.push(await listenUdp({ address, port: dnsPort, responder, pathBytesMax }))
  }
  return { answerer, listeners }
}

try {
  const { answerer, listeners } = await open()
  port.on('message', (message: ToDns) => {
    if (message.type === 'zone') {
      answerer.setZone(message.zone)
      post({ type: 'zone-set' })
      return
    }
    void Promise.all(listeners.map((listener) => listener.close())).then(() => {
      answerer.close()
      port.close()
      return undefined
    })
  })
  post({ type: 'ready' })
} catch (error) {
  if (!(error instanceof SvcdError)) throw error
  post({ type: 'refused', code: error.code, message: error.message })
}
