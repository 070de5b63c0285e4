import t from 'tap'
import { loadLibc } from '../../src/process/libc.ts'
import { NotifySocket } from '../../src/process/notify-socket.ts'
import { NotifyReceiver } from '../helpers/notify-receiver.ts'
import { missing } from '../helpers/tools.ts'

const noLibc = (): string | false => {
  const libc = loadLibc()
  return libc instanceof Error && `needs the C library: ${libc.message}`
}
const failing = (reason: string): never => {
  throw new Error(reason)
}

const kinds = [
  ['a path', undefined],
  ['an abstract name', `@svcd-test/${process.pid}`],
] as const

for (const [kind, abstract] of kinds) {
  const skip = missing('python3') || noLibc()
  t.test(
    `messages reach a socket that has ${kind}, in order, from this process`,
    { skip },
    async (t) => {
      const receiver = await NotifyReceiver.start(abstract)
      t.teardown(() => receiver.stop())
      const notify = new NotifySocket({ socket: receiver.socket, onFailure: failing })
      notify.send({ RELOADING: '1', MONOTONIC_USEC: '12' })
      notify.send({ READY: '1', STATUS: 'Leader of 3 servers ✓' })
      await notify.flushed()
      await receiver.until('READY')
      t.strictSame(receiver.received, [
        { pid: process.pid, lines: ['RELOADING=1', 'MONOTONIC_USEC=12'] },
        { pid: process.pid, lines: ['READY=1', 'STATUS=Leader of 3 servers ✓'] },
      ])
    },
  )
}

t.test(
  'without koffi, the program systemd-notify sends the message',
  { skip: missing('python3', 'systemd-notify') },
  async (t) => {
    const receiver = await NotifyReceiver.start()
    t.teardown(() => receiver.stop())
    const libc = new Error('Cannot find module koffi')
    const notify = new NotifySocket({ socket: receiver.socket, onFailure: failing, libc })
    notify.send({ READY: '1', STATUS: 'Leader of 1 server' })
    await receiver.until('READY')
    t.strictSame(receiver.linesWithout('BARRIER'), ['READY=1', 'STATUS=Leader of 1 server'])
  },
)

t.test('a socket that nobody reads costs a reason, not an exception', async (t) => {
  const reasons: string[] = []
  const socket = '/nowhere/notify'
  const onFailure = (reason: string): void => void reasons.push(reason)
  const notify = new NotifySocket({ socket, onFailure })
  notify.send({ READY: '1' })
  await notify.flushed()
  t.equal(reasons.length, 1)
})
