import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import type { Logger } from '../../../src/base/log.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { openVersions } from '../../../src/state/families.ts'
import type { Versions } from '../../../src/state/machine/versions.ts'
import { countedTypes } from '../../../src/dns/responder-counters.ts'
import { defaultZone } from '../../../src/dns/zone.ts'
import { ask } from '../../../src/net/dns-client.ts'
import type { DnsFigures } from '../../../src/resolver/threads/counters.ts'
import { SharedMode } from '../../../src/resolver/threads/messages.ts'
import { DnsService } from '../../../src/resolver/service.ts'
import type { DnsServiceOptions } from '../../../src/resolver/service.ts'
import { DnsUdp } from '../../../src/resolver/threads/udp.ts'
import { DeathCount } from '../../../src/resolver/threads/death-count.ts'
import { Replica } from '../../../src/replica/replica.ts'
import { buildQuery } from '../../dns/fixture.ts'
import { registerCommand, serviceDefinition } from '../../helpers/catalog.ts'
import { noMmsg } from '../../net/udp/paths.ts'
import { loneServer } from '../../helpers/replica-settings.ts'
import { openGate } from '../../helpers/open-gate.ts'

const origin = { actor: 'test', cause: 'test' }
const restarted = 'a DNS thread ended; restarting it on the same sockets'
const zone = { ...defaultZone(['consul'], 'dc1'), nodeTtl: 5 }

interface Rig {
  readonly dns: DnsService
  readonly port: number
  readonly replica: Replica
  readonly workers: Worker[]
  readonly deaths: Error[]
  readonly log: string[]
  readonly ask: (name: string) => Promise<readonly string[]>
}

function optionsFor(statePath: string, versions: Versions): DnsServiceOptions {
  const mode = new SharedMode()
  mode.value = 'ready'
  return {
    answering: {
      statePath,
      versions: versions.buffer,
      mode: mode.buffer,
      zone,
      onlyPassing: false,
      nodeName: 'n1',
      udpSizeMax: 1232,
    },
    addresses: ['127.0.0.1'],
    port: 0,
    path: 'mmsg',
    threads: 1,
    tcpGate: openGate(),
    logger: silentLogger,
    onSuspicion: () => {},
    onDeath: () => {},
  }
}

/** DNS over the catalog of a real replica; `workers` are the dns threads in the order of their birth. */
async function start(t: Test, options: Partial<DnsServiceOptions> = {}): Promise<Rig> {
  const directory = t.testdir()
  const versions = openVersions()
  const replica = await Replica.start({
    dataDirectory: directory,
    versions,
    logger: silentLogger,
    onDeath: (error) => t.fail(error.message),
    onApplied: () => {},
    onStatus: () => {},
    settings: loneServer,
  })
  t.teardown(() => replica.stop())
  await register(t, replica, 'web', 1)
  const deaths: Error[] = []
  const log: string[] = []
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  t.teardown(() => process.off('worker', onWorker))
  const dns = await DnsService.start({
    ...optionsFor(join(directory, 'state.db'), versions),
    logger: loggerTo(log),
    onDeath: (error) => deaths.push(error),
    ...options,
  })
  t.teardown(() => dns.stop())
  const port = must(dns.endpoints[0]).port
  return {
    dns,
    port,
    replica,
    workers,
    deaths,
    log,
    ask: async (name) => {
      // A thread that is started again may take a while; what it is asked waits in its socket.
      const patient = { timeoutMs: 10_000, attempts: 3 }
      const reply = await ask({ address: '127.0.0.1', port }, name, 'A', patient)
      return reply.answer.map(({ data }) => data).toSorted()
    },
  }
}

function loggerTo(lines: string[]): Logger {
  const add = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`)
  return { debug: add, info: add, warn: add, error: add }
}

async function register(t: Test, replica: Replica, name: string, n: number): Promise<void> {
  const address = `10.9.0.${n}`
  const service = serviceDefinition(name, { id: `${name}-${n}`, address, port: 80 })
  const node = { name: 'n1', id: '', address: '10.0.0.1', taggedAddresses: {}, meta: {} }
  const outcome = await replica.propose(registerCommand('n1', { service, node }), origin)
  t.ok(outcome.ok)
}

/**
 * Asks on many sockets, so that each thread has some of them: the next question when one is answered,
 * and as a resolver does, again when no answer came (a thread that dies takes its questions along).
 */
function load(t: Test, port: number, name: (n: number) => string): { answers: number } {
  const result = { answers: 0 }
  let asked = 0
  for (let each = 0; each < 32; each++) {
    const socket = createSocket('udp4')
    let isSilent = false
    const next = (): void => {
      const id = asked++ & 0xffff
      socket.send(buildQuery(name(asked), 'A', { id }), port, '127.0.0.1')
    }
    socket.on('message', () => {
      result.answers++
      isSilent = false
      next()
    })
    const again = setInterval(() => {
      if (isSilent) next()
      isSilent = true
    }, 500)
    t.teardown(() => {
      clearInterval(again)
      socket.close()
    })
    for (let depth = 0; depth < 3; depth++) next()
  }
  return result
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

async function answersWhatIsRegistered(t: Test, { ask, replica }: Rig): Promise<void> {
  for (let n = 2; n < 20; n++) {
    t.equal((await ask('web.service.consul')).length, n - 1)
    await register(t, replica, 'web', n)
  }
}

async function takesZones(t: Test, { ask, dns }: Rig): Promise<void> {
  const before = await ask('web.service.consul')
  await dns.setZone({ ...zone, domain: ['example'] })
  t.same(await ask('web.service.example'), before)
  t.same(await ask('web.service.consul'), [])
  await dns.setZone(zone)
  t.same(await ask('web.service.consul'), before)
}

// To start a service takes long, so the claims share one.
t.test('by mmsg, two threads on one port', { skip: noMmsg }, async (t) => {
  const rig = await start(t, { path: 'mmsg', threads: 2 })
  const { ask, dns, workers, port, replica, deaths, log } = rig
  t.match(log, ['DNS over UDP uses recvmmsg (batched) {"threads":2}'])

  await t.test('what is registered is answered next', (t) => answersWhatIsRegistered(t, rig))
  await t.test('a new zone holds from when setZone resolves', (t) => takesZones(t, rig))

  await t.test('a thread that is killed is started again on the same socket', async (t) => {
    await dns.setZone({ ...zone, domain: ['example'] })
    const told = log.length
    await Promise.all(workers.map((worker) => worker.terminate()))
    await until(() => workers.length === 4)
    t.same(log.slice(told), Array(2).fill(`${restarted} {}`), 'and that is said')
    // Each client has a port of its own, so that some of the questions go to each socket.
    const asked = Array.from({ length: 20 }, () => ask('web.service.example'))
    for (const answer of await Promise.all(asked)) t.equal(answer.length, 19)
    await dns.setZone(zone)
  })

  await t.test('one thread dies under load, the other answers on', async (t) => {
    const before = dns.figures.udp.map(({ queries }) => queries)
    const sent = load(t, port, () => 'web.service.consul')
    await until(() => dns.figures.udp.every(({ queries }, at) => queries > (before[at] ?? 0) + 500))
    const asked = dns.figures.udp.map(({ queries }) => queries)
    await must(workers.at(-1)).terminate()
    const { answers } = sent
    await until(() => sent.answers > answers + 2000)
    t.ok(dns.figures.udp.some(({ queries }, at) => queries > (asked[at] ?? 0) + 500))
    await until(() => dns.figures.udp.every(({ queries }, at) => queries > (asked[at] ?? 0)))
    t.pass('its counters go on where they were')
  })

  await t.test('every question is counted once, by type, rcode and cache', async (t) => {
    const sum = (of: (figures: DnsFigures) => number): number =>
      dns.figures.udp.reduce((total, figures) => total + of(figures), 0)
    const place = countedTypes.indexOf('A')
    const count = (): number[] => [
      sum(({ queries }) => queries),
      sum(({ hits, misses }) => hits + misses),
      sum(({ types }) => types[place] ?? 0),
      sum(({ rcodes }) => rcodes.reduce((total, each) => total + each)),
      sum(({ latencies }) => latencies.reduce((total, each) => total + each)),
    ]
    // A thread counts a batch when its answers have left, so that it may be a moment behind them.
    const settled = async (): Promise<number[]> => {
      for (let last = count(); ;) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        const now = count()
        if (now.every((value, at) => value === last[at])) return now
        last = now
      }
    }
    // What the load before left in the sockets is answered first.
    for (let n = 0; n < 20; n++) await ask('web.service.consul')
    const before = await settled()
    for (let n = 0; n < 30; n++) await ask(n < 20 ? 'web.service.consul' : 'no.service.consul')
    t.same(
      (await settled()).map((value, at) => value - (before[at] ?? 0)),
      [30, 30, 30, 30, 30],
    )
    t.ok(sum(({ rcodes }) => rcodes[3] ?? 0) >= 10)
    t.ok(sum(({ cacheEntries }) => cacheEntries) > 0)
  })

  await t.test('names asked once, by the ten thousand, leave it answering', async (t) => {
    const told = log.length
    const sent = load(t, port, (n) => (n % 4 === 0 ? 'web.service.consul' : `x${n}.service.consul`))
    let n = 19
    while (sent.answers < 20_000) {
      await register(t, replica, 'web', ++n)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.equal((await ask('web.service.consul')).length, n)
    t.equal(log.length, told, 'nothing failed')
  })

  await t.test('under load, a zone is taken and a stop obeyed within a second', async (t) => {
    const sent = load(t, port, () => 'web.service.consul')
    await until(() => sent.answers > 2000)
    const beganMs = performance.now()
    await dns.setZone({ ...zone, nodeTtl: 9 })
    t.ok(performance.now() - beganMs < 1000, 'the zone')
    const ended = Promise.all([workers[2], workers[4]].map((worker) => once(must(worker), 'exit')))
    const stopMs = performance.now()
    await dns.stop()
    t.ok(performance.now() - stopMs < 1000, 'the stop')
    t.same(await ended, [[0], [0]])
    t.same(deaths, [])
  })
})

t.test('by dgram, on one thread', async (t) => {
  const rig = await start(t, { path: 'dgram', threads: 2 })
  t.match(rig.log, [/dgram/])
  t.equal(rig.workers.length, 1)
  await t.test('what is registered is answered next', (t) => answersWhatIsRegistered(t, rig))
  await t.test('a new zone holds from when setZone resolves', (t) => takesZones(t, rig))
})

t.test('a UDP port that somebody else holds is named', { skip: noMmsg }, async (t) => {
  const other = createSocket('udp4')
  t.teardown(() => other.close())
  other.bind(0, '127.0.0.1')
  await once(other, 'listening')
  const options = { ...optionsFor('none', openVersions()), port: other.address().port }
  await t.rejects(DnsUdp.start(options), { code: 'port-in-use' })
  await t.rejects(DnsUdp.start({ ...options, threads: 2 }), { code: 'port-in-use' })
})

t.test('the sixth death of threads within a minute is one too many', async (t) => {
  const deaths = new DeathCount()
  const counts = [0, 1, 2, 3, 4, 5, 60_004, 60_500].map((nowMs) => deaths.tooMany(nowMs))
  t.same(counts, [undefined, undefined, undefined, undefined, undefined, 6, undefined, undefined])
})
