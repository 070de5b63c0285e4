import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { heldUntilTold, LockCommand } from '../helpers/lock-command.ts'
import { missing } from '../helpers/tools.ts'

// `consul lock` and `svcd lock` at three servers: they use the same keys, so each waits for the other.

const skip = missing('consul')
const programs = ['consul', 'svcd'] as const
type Program = (typeof programs)[number]

t.test(
  'commands of Consul and of svcd wait for each other on every server',
  { skip },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    await t.test('they exclude each other', (t) => checkMutex(t, cluster))
    await t.test('a semaphore has room for both', (t) => checkSemaphore(t, cluster))
  },
)

async function checkMutex(t: Test, cluster: ThreeServers): Promise<void> {
  const at = (server: number, program: Program, ...words: readonly string[]): LockCommand =>
    new LockCommand(t, must(cluster.servers[server % 3]).httpUrl, words, program)
  for (const server of [0, 1, 2]) {
    for (const first of programs) {
      for (const second of programs) {
        const name = `${first} at n${server + 1}, then ${second} at another server`
        const holder = at(server, first, ...heldUntilTold('job'))
        await holder.says('in')
        const refused = await at(server + 2, second, '-timeout=150ms', 'job', 'echo never').ended
        t.match(refused, { code: 1, out: '' }, `${name}: refused in time`)
        const waiter = at(server + 1, second, ...heldUntilTold('job'))
        holder.tell()
        t.match(await holder.ended, { code: 0, out: /^in\b[^]*out\n$/ }, name)
        await waiter.says('in')
        waiter.tell()
        t.match(await waiter.ended, { code: 0, out: /^in\b[^]*out\n$/ }, `${name}: its turn`)
      }
    }
    const failed = await at(server, 'consul', '-child-exit-code', 'job', 'exit 3').ended
    t.equal(failed.code, 2)
  }
}

async function checkSemaphore(t: Test, cluster: ThreeServers): Promise<void> {
  const at = (server: number, program: Program): LockCommand => {
    const { httpUrl } = must(cluster.servers[server])
    return new LockCommand(t, httpUrl, heldUntilTold('pool', '-n', '2'), program)
  }
  const inside = [at(0, 'consul'), at(1, 'svcd')]
  await Promise.all(inside.map((command) => command.says('in')))
  const outside = [at(2, 'svcd'), at(0, 'consul')]
  for (const [place, leaving] of inside.entries()) {
    const next = must(outside[place])
    t.equal(next.out, '', 'it waits')
    leaving.tell()
    t.equal((await leaving.ended).code, 0)
    await Promise.race(outside.map((command) => command.says('in')))
    if (next.out === '') outside.reverse()
  }
  await Promise.all(outside.map((command) => command.says('in')))
  for (const command of outside) {
    command.tell()
    t.equal((await command.ended).code, 0)
  }
}
