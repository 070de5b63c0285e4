import t from 'tap'
import { ServiceManager } from '../../src/process/service-manager.ts'
import type { Assignments } from '../../src/process/notify-message.ts'
import { until } from '../helpers/until.ts'

interface Rig {
  readonly service: ServiceManager
  readonly sent: Assignments[]
}

function rig(watchdogMs?: number): Rig {
  const sent: Assignments[] = []
  const send = (assignments: Assignments): void => void sent.push(assignments)
  return { service: new ServiceManager({ send, watchdogMs }), sent }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

t.test('without NOTIFY_SOCKET nothing is sent, and nothing breaks', async (t) => {
  const service = ServiceManager.of({}, silent)
  service.watch(() => t.fail('nobody waits for signs of life'))
  service.status(() => {
    t.fail('nobody reads it')
    return ''
  })
  service.ready()
  t.equal(await service.around(async () => 'reloaded')(), 'reloaded')
  service.stopping()
})

t.test("the variables are taken out of the environment of the agent's children", async (t) => {
  const env = { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1', WATCHDOG_PID: '1', HOME: '/' }
  ServiceManager.of(env, silent)
  t.strictSame(env, { HOME: '/' })
})

t.test('a reload is announced, and over when it has finished or failed', async (t) => {
  const { service, sent } = rig()
  service.ready()
  const before = process.hrtime.bigint() / 1000n
  await service.around(async () => sent.push({ note: 'reloading' }))()
  const [ready, start, work, end] = sent
  t.strictSame([ready, work, end], [{ READY: '1' }, { note: 'reloading' }, { READY: '1' }])
  t.equal(start?.['RELOADING'], '1')
  t.ok(BigInt(start?.['MONOTONIC_USEC'] ?? 0) >= before)
  await t.rejects(service.around(() => Promise.reject(new Error('a bad file')))(), /a bad file/)
  t.strictSame(sent.at(-1), { READY: '1' })
})

t.test('a reload before the agent is ready does not report it ready', async (t) => {
  const { service, sent } = rig()
  await service.around(async () => {})()
  t.strictSame(sent, [])
})

t.test('a status is sent when it changes', async (t) => {
  const { service, sent } = rig()
  for (const text of ['a', 'a', 'b']) service.status(() => text)
  t.strictSame(sent, [{ STATUS: 'a' }, { STATUS: 'b' }])
})

t.test('after the stop was announced nothing else is sent', async (t) => {
  const { service, sent } = rig()
  service.ready()
  service.stopping()
  service.stopping()
  service.status(() => 'Waiting for a leader')
  await service.around(async () => {})()
  t.strictSame(sent, [{ READY: '1' }, { STOPPING: '1', STATUS: 'Stopping' }])
})

t.test('signs of life stop when a thread is silent, and return with it', async (t) => {
  const { service, sent } = rig(8)
  let asked = 0
  let isAlive = false
  service.watch(() => {
    asked++
    return isAlive
  })
  t.teardown(() => service.stopping())
  // Timers of the watchdog do not keep a process alive; this wait does.
  await until('it asks a few times', 5000, () => asked > 3)
  t.strictSame(sent, [])
  isAlive = true
  await until('a sign of life', 5000, () => sent.length > 0)
  t.strictSame(sent[0], { WATCHDOG: '1' })
})
