import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { NotifyReceiver } from '../helpers/notify-receiver.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// A started agent, and a program in the place of systemd at the other end of NOTIFY_SOCKET.

const skip = missing('python3') || (process.platform !== 'linux' && 'needs Linux')

t.test('an agent reports its start, a reload and its stop to systemd', { skip }, async (t) => {
  const receiver = await NotifyReceiver.start()
  t.teardown(() => receiver.stop())
  const agent = await AgentProcess.start({
    args: ['-dev', '-node', 'n1'],
    env: { NOTIFY_SOCKET: receiver.socket, WATCHDOG_USEC: '200000' },
  })
  t.teardown(() => agent.kill())

  await receiver.until('READY=1')
  t.match(
    await agent.get<string>('status/leader'),
    /^127\.0\.0\.1:/,
    'it answers when it says that it is ready',
  )
  await receiver.until('STATUS=Leader of 1 server')
  await receiver.until('WATCHDOG=1')

  const beforeReload = receiver.received.length
  agent.child.kill('SIGHUP')
  await receiver.until('READY=1', beforeReload)
  await agent.put('agent/reload')
  const beforeStop = receiver.received.length
  agent.child.kill('SIGTERM')
  await receiver.until('STOPPING=1', beforeStop)
  t.equal(await agent.exited, 0, `it ends cleanly, not by ${String(agent.child.signalCode)}`)

  const lines = receiver.linesWithout('STATUS=', 'WATCHDOG=')
  t.match(lines, [
    'READY=1',
    'RELOADING=1',
    /^MONOTONIC_USEC=\d+$/,
    'READY=1',
    'RELOADING=1',
    /^MONOTONIC_USEC=\d+$/,
    'READY=1',
    'STOPPING=1',
  ])
  t.equal(lines.length, 8)
  const senders = new Set(receiver.received.map(({ pid }) => pid))
  t.strictSame([...senders], [agent.child.pid], 'NotifyAccess=main is enough')
})

t.test('a start that fails is not reported as ready', { skip }, async (t) => {
  const receiver = await NotifyReceiver.start()
  t.teardown(() => receiver.stop())
  const taken = createServer()
  await new Promise<void>((resolve) => {
    taken.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const agent = AgentProcess.spawn({
    args: ['-dev', `-http-port=${port}`],
    env: { NOTIFY_SOCKET: receiver.socket },
  })
  t.equal(await agent.exited, 1)
  t.match(agent.output, /is in use/)
  await receiver.until('STOPPING=1')
  t.strictSame(receiver.linesWithout('STATUS='), ['STOPPING=1'])
})

t.test('a script check does not inherit the socket', { skip }, async (t) => {
  const receiver = await NotifyReceiver.start()
  t.teardown(() => receiver.stop())
  const agent = await AgentProcess.start({
    args: ['-dev', '-enable-script-checks'],
    env: { NOTIFY_SOCKET: receiver.socket },
  })
  t.teardown(() => agent.kill())
  const file = join(t.testdir(), 'environment')
  const check = { Name: 'env', Args: ['sh', '-c', `env > ${file} && mv ${file} ${file}.done`] }
  await agent.put('agent/check/register', { ...check, Interval: '1s' })
  await until('the check runs', 20_000, () => existsSync(`${file}.done`))
  const environment = readFileSync(`${file}.done`, 'utf8')
  t.notMatch(environment, /^NOTIFY_SOCKET=/m)
  t.match(environment, /^PATH=/m)
})

t.test('a reload that is asked for during the start does not end the agent', async (t) => {
  const agent = AgentProcess.spawn({
    args: ['-server', '-data-dir', t.testdir(), '-bind=127.0.0.1'],
  })
  t.teardown(() => agent.kill())
  await agent.until('Starting svcd agent')
  agent.child.kill('SIGHUP')
  await agent.running
  t.equal(await agent.stop(), 0)
})
