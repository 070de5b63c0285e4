import t from 'tap'
import { notifyLines, unixAddress, watchdogMs } from '../../src/process/notify-message.ts'

t.test('a message has one assignment per line, and a value stays on its line', async (t) => {
  const lines = notifyLines({ READY: '1', STATUS: 'Rebuilding:\n  a page\r\nis damaged' })
  t.strictSame(lines, ['READY=1', 'STATUS=Rebuilding: a page is damaged'])
})

t.test('a path and an abstract name become the address of a Unix socket', async (t) => {
  const octets = (text: string): readonly number[] => [1, 0, ...Buffer.from(text)]
  t.strictSame([...(unixAddress('/run/notify') ?? [])], octets('/run/notify\0'))
  t.strictSame([...(unixAddress('@svcd/1') ?? [])], octets('\0svcd/1'))
  t.strictSame(unixAddress(`/${'x'.repeat(106)}`)?.length, 110, 'the longest path')
})

t.test('what is not a Unix socket has no address', async (t) => {
  for (const socket of ['', 'vsock:2:1234', 'run/notify', `/${'x'.repeat(107)}`]) {
    t.equal(unixAddress(socket), undefined, socket)
  }
})

t.test('a watchdog counts for the process that it is meant for', async (t) => {
  t.equal(watchdogMs({ WATCHDOG_USEC: '2000000' }, 7), 2000)
  t.equal(watchdogMs({ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '7' }, 7), 2000)
  t.equal(watchdogMs({ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '8' }, 7), undefined)
  for (const text of [undefined, '', '0', '-1', 'soon', '1.5']) {
    t.equal(watchdogMs({ WATCHDOG_USEC: text }, 7), undefined, String(text))
  }
})
