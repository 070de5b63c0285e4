import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { randomBelow, seededRandom } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { LockCommand } from '../helpers/lock-command.ts'
import { LockHistory } from '../helpers/lock-history.ts'
import { pause } from '../helpers/until.ts'

// Two programs race for one lock while the leader is killed again and again.

const races = Number(process.env['SVCD_LOCK_RACES'] ?? 16)
const seed = Number(process.env['SVCD_SEED'] ?? Date.now() % 1_000_000)
const ttlMs = 10_000
const lockDelayMs = 1000
const waitMsMax = ttlMs + lockDelayMs + 2000
/** A wait of more than this is explained in the output. */
const longMs = Number(process.env['SVCD_LOCK_LONG_MS'] ?? 10_000)

/** A link is made by one process only: whoever finds it is not alone. A signal may come at any moment. */
function scriptOf(directory: string): string {
  return [
    `cd ${directory}`,
    'leave() {',
    '  [ "$(readlink inside)" = "$SVCD_LOCK_INDEX" ] || exit',
    '  grep -qx "in $SVCD_LOCK_INDEX" log || echo "in $SVCD_LOCK_INDEX" >> log',
    '  echo "out $SVCD_LOCK_INDEX" >> log; rm inside; exit',
    '}',
    'trap leave TERM INT',
    'ln -s "$SVCD_LOCK_INDEX" inside || { echo "both $SVCD_LOCK_INDEX" >> log; exit; }',
    'echo "in $SVCD_LOCK_INDEX" >> log; echo in; sleep 0.3; leave',
  ].join('\n')
}

interface Race {
  readonly cluster: ThreeServers
  readonly goesOn: () => boolean
  readonly random: Random
  /** When the newest leader was there: it grants each session its whole TTL again. */
  newLeaderMs: number
  /** When each server ran again, by its name: while it does not, its clients wait in vain. */
  readonly runsMs: Map<string, number>
  /** Of commands that did not get the lock, or lost it. */
  readonly errors: string[]
  readonly history: LockHistory
}

interface Wait {
  readonly totalMs: number
  /** From when there was the last leader, and its server ran. */
  readonly countedMs: number
}

/** A program that wants the lock over and over, and keeps to no server. Returns how long it waited each time. */
async function program(t: Test, name: string, race: Race): Promise<readonly Wait[]> {
  const { cluster, goesOn, random, errors, history } = race
  const script = scriptOf(t.testdirName)
  const options = [`-ttl=${ttlMs}ms`, `-lock-delay=${lockDelayMs}ms`]
  const waits: Wait[] = []
  while (goesOn()) {
    const beganMs = performance.now()
    for (let isIn = false; !isIn;) {
      const { live } = cluster
      const server = live[randomBelow(random, Math.max(1, live.length))]
      if (server === undefined) {
        await pause(20)
        continue
      }
      // Its server may be killed before it has a session: then it asks another one.
      history.note(`${name} asks ${server.name}`)
      const command = new LockCommand(t, server.httpUrl, [...options, 'race', script])
      isIn = await command.says('in').then(
        () => true,
        () => false,
      )
      const nowMs = performance.now()
      if (isIn) {
        const ranMs = race.runsMs.get(server.name) ?? 0
        const sinceMs = Math.max(beganMs, race.newLeaderMs, ranMs)
        const countedMs = nowMs - sinceMs
        waits.push({ totalMs: nowMs - beganMs, countedMs })
        history.note(`${name} is in`)
        if (nowMs - beganMs > longMs) explain(t, name, history, beganMs)
      }
      const { code, err } = await command.ended
      history.note(`${name} has ended with ${code}: ${err.trim()}`)
      if (code !== 0) errors.push(`${Math.round(nowMs)} ms, ${server.name}: ${err.trim()}`)
    }
  }
  return waits
}

function explain(t: Test, name: string, history: LockHistory, fromMs: number): void {
  t.comment(`${name} has waited long:`)
  for (const line of history.lines(fromMs, performance.now())) t.comment(line)
}

async function killLeaders(race: Race): Promise<number> {
  const { cluster, goesOn, random, history } = race
  let kills = 0
  while (goesOn()) {
    await pause(300 + randomBelow(random, 2000))
    const leader = await cluster.leader(cluster.live, 20_000)
    await leader.kill()
    history.note(`${leader.name} was killed, the leader`)
    kills++
    const next = await cluster.leader(cluster.live, 20_000)
    race.newLeaderMs = performance.now()
    history.note(`${next.name} leads`)
    await pause(randomBelow(random, 500))
    await leader.start()
    race.runsMs.set(leader.name, performance.now())
    history.note(`${leader.name} runs again`)
  }
  return kills
}

t.test(
  `two programs race ${races} times for a lock, and leaders are killed, seed ${seed}`,
  { timeout: (60 + 6 * races) * 1000 },
  async (t) => {
    const directory = t.testdir()
    const log = join(directory, 'log')
    writeFileSync(log, '')
    const cluster = await ThreeServers.prepare(join(directory, 'servers'))
    mkdirSync(join(directory, 'servers'))
    t.teardown(() => cluster.stop())
    await cluster.startAll()
    const lines = (): string[] => readFileSync(log, 'utf8').split('\n').filter(Boolean)
    const goesOn = (): boolean => lines().filter((line) => line.startsWith('in')).length < races
    const random = seededRandom(seed)
    const history = new LockHistory()
    const race: Race = {
      cluster,
      goesOn,
      random,
      newLeaderMs: 0,
      runsMs: new Map(),
      errors: [],
      history,
    }
    const [one, two, kills] = await Promise.all([
      program(t, 'one', race),
      program(t, 'two', race),
      killLeaders(race),
      history.follow(cluster, 'race/.lock', goesOn),
    ])
    const waits = [...one, ...two]
    const longestMs = Math.round(Math.max(...waits.map(({ countedMs }) => countedMs)))
    const totalMs = Math.round(Math.max(...waits.map(({ totalMs }) => totalMs)))
    t.comment(`${kills} kills, ${one.length} and ${two.length} times, ${race.errors.length} errors`)
    t.comment(`longest wait ${totalMs} ms, ${longestMs} ms with one leader and a live server`)
    for (const error of race.errors) t.comment(error)
    t.ok(one.length > 0 && two.length > 0, 'both had their turns')
    t.ok(kills > 0, 'leaders were killed')
    const claim = `no wait under one leader, with a live server, is longer than ${waitMsMax} ms`
    t.ok(longestMs <= waitMsMax, `${claim}: ${longestMs} ms`)
    checkLog(t, lines())
  },
)

/** In, out, in, out: never two inside, and each with a larger token than the one before. */
function checkLog(t: Test, lines: readonly string[]): void {
  let last = 0
  for (let at = 0; at < lines.length; at += 2) {
    const [entered = '', left = ''] = lines.slice(at, at + 2)
    const token = Number(entered.slice('in '.length))
    if (!entered.startsWith('in ') || left !== `out ${token}`) {
      t.fail(`never both inside: ${lines.slice(Math.max(0, at - 2), at + 4).join(', ')}`)
      return
    }
    if (token <= last) t.fail(`the tokens rise: ${last}, then ${token}`)
    last = token
  }
  t.pass(`${lines.length / 2} times one was inside`)
}
