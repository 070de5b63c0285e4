import t, { type Test } from 'tap'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { patroniMissing } from '../helpers/patroni-member.ts'
import type { PatroniMember, PatroniTimes } from '../helpers/patroni-member.ts'
import { PatroniPair } from '../helpers/patroni-pair.ts'
import { RepeatedWrites } from '../helpers/repeated-writes.ts'
import { pause, until } from '../helpers/until.ts'

// Patroni and PostgreSQL, as Debian has them, with three servers of svcd in the place of Consul. It takes
// minutes: `npm run long` runs it.

const skip = process.env['SVCD_PATRONI'] === '1' ? patroniMissing() : 'SVCD_PATRONI=1 runs it'

/** The least `ttl` that Patroni takes; it asks for loop_wait + 2 * retry_timeout <= ttl. */
const short: PatroniTimes = { ttl: 20, loop_wait: 2, retry_timeout: 9 }
/** What Patroni has when nothing is configured. */
const usual: PatroniTimes = { ttl: 30, loop_wait: 10, retry_timeout: 10 }
const failoverMs = (short.ttl + short.loop_wait) * 1000

interface Stage {
  readonly t: Test
  readonly cluster: ThreeServers
  readonly pair: PatroniPair
}

t.test(
  'Patroni fails over when its primary dies, and not when a server of svcd does',
  { skip, timeout: 900_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    const [one, other] = await cluster.followers()
    const pair = await PatroniPair.start(t, cluster, [one, other] as never, short)
    const [first] = pair.members
    await first.sql('CREATE TABLE writes (at timestamptz NOT NULL)')
    const round = (name: string, play: (stage: Stage) => Promise<void>): Promise<unknown> =>
      t.test(name, (t) => play({ t, cluster, pair }))
    await round('DNS names the members by their roles on all servers', checkRoles)
    await round('the leader of svcd is killed: no fail-over', killLeader)
    await round("the primary's own server is killed and restarted: no fail-over", killOwnServer)
    await round('that server stays away, with failsafe_mode: no fail-over', loseOwnServer)
    await round('the primary is killed: the other one takes over', killPrimary)
    await round('a switchover', switchOver)
    await round('a primary that is cut off stops before the other one starts', cutOffPrimary)
  },
)

/** Resolves when DNS on all live servers names `primary`, and nobody else, as the primary. */
async function followed({ pair }: Stage, primary: PatroniMember): Promise<void> {
  await until(`DNS names ${primary.name} as the primary`, 20_000, async () => {
    const said = await Promise.all([pair.addresses('primary'), pair.addresses('master')])
    return said.flat().every((addresses) => addresses === primary.address)
  })
}

/** Resolves when `member` streams from the primary, and DNS on all live servers names it as a replica. */
async function follows({ pair }: Stage, member: PatroniMember): Promise<void> {
  await until(`${member.name} is a replica`, 60_000, () => member.isReplica(), 200)
  await until(`DNS names ${member.name} as a replica`, 20_000, async () => {
    const said = await pair.addresses('replica')
    return said.every((addresses) => addresses === member.address)
  })
}

async function checkRoles(stage: Stage): Promise<void> {
  const { t, pair } = stage
  const [first, second] = pair.members
  await followed(stage, first)
  await follows(stage, second)
  t.match(await pair.leaderKey(), { holder: first.name })
  t.comment(await first.sql('SELECT version()'))
  t.comment(await first.control('version'))
}

/**
 * Does `harm`, and looks at the cluster until a fail-over would have come. Nothing may change for the users
 * of PostgreSQL: the primary takes every write.
 */
async function staysPrimary(
  { t, pair }: Stage,
  harm: () => Promise<void>,
  watchedMs = failoverMs + 3000,
): Promise<void> {
  const primary = await pair.primary()
  const before = await primary.state()
  const writes = new RepeatedWrites(t, primary)
  await until('writes go on', 5000, () => writes.count > 0)
  const deadline = performance.now() + watchedMs
  await harm()
  while (performance.now() < deadline) {
    if (await pair.other(primary).isPrimary()) t.fail('the other member took over')
    await pause(200)
  }
  t.ok(writes.goOn, 'the primary took every write')
  t.comment(`${writes.count} writes in ${Math.round(watchedMs / 1000)} s, gap ${writes.gapMs} ms`)
  writes.stop()
  t.ok(await primary.isPrimary(), 'it is still the primary')
  t.equal((await primary.state()).timeline, before.timeline, 'the timeline is the same')
}

async function killLeader(stage: Stage): Promise<void> {
  const { t, cluster, pair } = stage
  const primary = await pair.primary()
  const leader = await cluster.leader()
  t.not(leader, pair.serverOf(primary))
  const before = await pair.leaderKey()
  await staysPrimary(stage, () => leader.kill())
  t.strictSame(await pair.leaderKey(), before, 'the leader key was kept, with its session')
  await followed(stage, primary)
  await leader.start()
}

/** Patroni 3.0 takes one address of Consul, so it has no server while its own one is away. */
async function killOwnServer(stage: Stage): Promise<void> {
  const { t, pair } = stage
  const primary = await pair.primary()
  const server = pair.serverOf(primary)
  const before = await pair.leaderKey()
  await staysPrimary(stage, async () => {
    await server.kill()
    await server.start()
  })
  t.strictSame(await pair.leaderKey(), before, 'the leader key was kept, with its session')
  await followed(stage, primary)
}

async function loseOwnServer(stage: Stage): Promise<void> {
  const { t, pair } = stage
  const primary = await pair.primary()
  const server = pair.serverOf(primary)
  await primary.configure({ failsafe_mode: true })
  const isSet = async (): Promise<boolean> =>
    (await server.get<object[]>('kv/service/pg/failsafe')).length > 0
  await until('Patroni has written its members down', 20_000, isSet)
  await staysPrimary(stage, () => server.kill(), failoverMs + 10_000)
  await server.start()
  await until('it has the leader key again', 20_000, async () => {
    return (await pair.leaderKey())?.holder === primary.name
  })
  await followed(stage, primary)
  t.ok(await primary.isPrimary())
  await primary.configure({ failsafe_mode: null })
}

async function killPrimary(stage: Stage): Promise<void> {
  const { t, pair } = stage
  const old = await pair.primary()
  const next = pair.other(old)
  const { timeline } = await old.state()
  const beganMs = performance.now()
  await old.kill()
  const passedMs = (): number => Math.round(performance.now() - beganMs)
  await until('its leader key ends', failoverMs + 20_000, async () => {
    return (await pair.leaderKey())?.holder !== old.name
  })
  const endedMs = passedMs()
  await until('the other one is the primary', 30_000, () => next.isPrimary())
  const promotedMs = passedMs()
  await followed(stage, next)
  const followedMs = passedMs()
  await next.sql('INSERT INTO writes VALUES (clock_timestamp())')
  t.comment(`the leader key ended ${endedMs} ms after the kill`)
  t.comment(`the other one was promoted after ${promotedMs} ms, and in DNS after ${followedMs} ms`)
  t.ok(promotedMs <= failoverMs, `within TTL + loop_wait: ${failoverMs} ms`)
  t.match(await pair.leaderKey(), { holder: next.name })
  t.equal((await next.state()).timeline, timeline + 1)
  old.start()
  await follows(stage, old)
  t.equal((await old.state()).timeline, timeline + 1, 'the old primary follows the new one')
  await followed(stage, next)
}

async function switchOver(stage: Stage): Promise<void> {
  const { t, pair } = stage
  const old = await pair.primary()
  const next = pair.other(old)
  const words = ['--leader', old.name, '--candidate', next.name, '--force']
  const beganMs = performance.now()
  t.match(await old.control('switchover', 'pg', ...words), /Successfully switched over/)
  await until('the other one is the primary', 30_000, () => next.isPrimary(), 50)
  const promotedMs = Math.round(performance.now() - beganMs)
  await followed(stage, next)
  t.comment(
    `promoted after ${promotedMs} ms, in DNS after ${Math.round(performance.now() - beganMs)} ms`,
  )
  await follows(stage, old)
}

/** With the times that Patroni has when nothing is configured. */
async function cutOffPrimary(stage: Stage): Promise<void> {
  const { t, pair } = stage
  const old = await pair.primary()
  const next = pair.other(old)
  await old.configure(usual)
  const { session } = (await pair.leaderKey()) ?? {}
  await until('a session with the new TTL', 60_000, async () => {
    const key = await pair.leaderKey()
    return key !== undefined && key.session !== session
  })
  const writes = new RepeatedWrites(t, old)
  await until('writes go on', 5000, () => writes.count > 0)
  const cutMs = Date.now()
  pair.cutOff(old)
  await until('the other one has the leader key', 90_000, async () => {
    return (await pair.leaderKey())?.holder === next.name
  })
  const takenMs = Date.now()
  await writes.ended
  t.comment(
    `last write ${writes.lastMs - cutMs} ms after the cut, leader key ${takenMs - cutMs} ms`,
  )
  t.ok(writes.lastMs < takenMs, 'the old primary takes no write when the new one has the key')
  await until('the other one is the primary', 30_000, () => next.isPrimary())
  pair.heal()
  await follows(stage, old)
  await followed(stage, next)
}
