// Writes a cache as fast as it can, until its parent ends it: each answer consists of one octet, repeated.
import { parentPort, workerData } from 'node:worker_threads'
import { CacheMemory } from '../../src/recursor/cache-layout.ts'
import { CacheWriter } from '../../src/recursor/cache-writer.ts'

const { handle, questions, number } = workerData
const writer = new CacheWriter(new CacheMemory(handle), number)
const validity = { storedMs: 0, originMs: 0, lifetimeSeconds: 1e6, isStale: false, epoch: 0 }
const stop = new Int32Array(workerData.stop)
parentPort.postMessage('writing')
for (let n = 0; Atomics.load(stop, 0) === 0; n++) {
  const question = questions[n % questions.length]
  const bytes = new Uint8Array(12 + question.octets.length + 64 + (n % 1500)).fill(n & 0xff)
  bytes.set(question.octets, 12)
  const marks = Uint16Array.of(20, bytes.length)
  writer.put(question, { bytes, marks, extendedError: 0 }, validity)
}
