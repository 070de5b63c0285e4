import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { must } from '../../src/base/assert.ts'
import { instance } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { pause } from '../helpers/until.ts'
import { temporary } from './cluster-peers.ts'
import { versionOf } from './peers.ts'
import { table } from './report.ts'

const seconds = Number(process.env['SVCD_CALM_SECONDS'] ?? 600)
const names = 20

/**
 * DNS questions at full speed to the leader, which has the most to lose: a replica thread that gets
 * no time would cost elections. A slow stream of writes shows what the load costs them.
 */
export async function benchCalm(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return 'Calm: dnsperf is not on PATH, left out.\n'
  const directory = temporary()
  const cluster = await ThreeServers.prepare(directory, { args: ['-log-level=info'] })
  try {
    await cluster.startAll()
    const leader = await cluster.leader()
    await leader.put('catalog/register', { Node: 'outside', Address: '10.1.0.1' })
    for (let n = 0; n < 3 * names; n++) {
      await leader.put('catalog/register', instance('outside', `web${n}`, `web${n % names}`))
    }
    const file = join(directory, 'questions.txt')
    const lines = Array.from({ length: names }, (_, n) => `web${n}.service.consul A\n`)
    writeFileSync(file, lines.join(''))
    const before = cluster.servers.map((server) => server.output().length)
    const writes = new SlowWrites(cluster)
    const words = `-s 127.0.0.1 -p ${leader.dnsPort} -l ${seconds} -c 8 -q 400 -d`.split(' ')
    const { stdout } = await promisify(execFile)('dnsperf', [...words, file])
    await writes.stop()
    const said = cluster.servers.map((server, at) => server.output().slice(must(before[at])))
    const count = (text: string): string =>
      said.map((output) => output.split(text).length - 1).join(', ')
    const [lost, rate] = [/Queries lost:\s+(\S+)/, /Queries per second:\s+(\d+)/].map(
      (pattern) => pattern.exec(stdout)?.[1] ?? '?',
    )
    if (count('leads the cluster') !== '0, 0, 0') process.stderr.write(said.join('\n'))
    return table(
      `Three servers, ${seconds} s of DNS at full speed to the leader (dnsperf -c 8 -q 400)`,
      ['what', ''],
      [
        ['questions/s', must(rate)],
        ['questions lost', must(lost)],
        ['elections won, by server', count('leads the cluster')],
        ['leads given up', count('lost leadership')],
        ['lines about stalls of 1 s and more', count('event loop blocked')],
        ['writes acknowledged, failed', `${writes.acknowledged}, ${writes.failed}`],
        ['slowest write, ms', writes.slowestMs.toFixed(0)],
      ],
    )
  } finally {
    await cluster.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Ten a second, in turns through every server. */
class SlowWrites {
  acknowledged = 0
  failed = 0
  slowestMs = 0
  readonly #cluster: ThreeServers
  readonly #running: Promise<void>
  #isStopped = false

  constructor(cluster: ThreeServers) {
    this.#cluster = cluster
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let n = 0; !this.#isStopped; n++) {
      const server = must(this.#cluster.servers[n % this.#cluster.servers.length])
      const startMs = performance.now()
      try {
        await server.put('catalog/register', instance('outside', `slow${n % 100}`, `slow${n % 7}`))
        this.acknowledged++
      } catch {
        this.failed++
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs)
      await pause(100)
    }
  }
}
