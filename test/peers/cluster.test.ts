import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { seededRandom } from '../../src/base/random.ts'
import { boot } from '../../src/raft/driver.ts'
import { encodeConfig } from '../../src/raft/config.ts'
import { defaultLimits } from '../../src/raft/options.ts'
import { MemoryStore } from '../helpers/memory-store.ts'
import { heartbeat, join, PeerRig, rig } from './rig.ts'
import type { Test } from 'tap'
import type { Driver } from '../../src/raft/driver.ts'
import type { Entry } from '../../src/raft/entry.ts'
import type { PeerTls } from '../../src/peers/tls.ts'

/** A server of the real core and driver, on a log in memory and the real transport. */
class Member {
  readonly rig: PeerRig
  readonly applied: string[] = []
  driver!: Driver
  #appliedIndex = 0
  readonly #store = new MemoryStore()

  constructor(id: string) {
    this.rig = new PeerRig(id)
  }

  async open(t: Test, tls?: PeerTls): Promise<void> {
    await this.rig.open(t, {
      tls,
      onMessage: (message) => void this.driver.raft.step(message),
      onTurnEnd: () => this.run(),
      onUnreachable: (id) => this.driver.raft.unreachable(id),
      onConnectionLost: (id) => this.driver.raft.connectionLost(id),
      onRequest: async (_from, _kind, body) => {
        const { kind } = this.driver.raft.propose([body])
        return Buffer.from(kind)
      },
    })
  }

  start(t: Test, first: Entry): void {
    this.#store.commitWrite({
      hardState: { term: 1, vote: undefined, commit: 1 },
      snapshot: undefined,
      truncateFrom: undefined,
      entries: [first],
    })
    const { id, transport } = this.rig
    const random = seededRandom(id.charCodeAt(0))
    this.driver = boot(
      { id, random, limits: defaultLimits, preVote: true, checkQuorum: true },
      {
        store: this.#store,
        machine: {
          appliedIndex: () => this.#appliedIndex,
          apply: (entries) => this.#apply(entries),
          restore: () => t.fail('no snapshot is needed'),
        },
        transport,
        onRead: () => {},
      },
    )
    const ticks = setInterval(() => {
      this.driver.raft.tick()
      this.run()
    }, 20)
    t.teardown(() => clearInterval(ticks))
  }

  run(): void {
    this.driver.run()
    this.rig.changed()
  }

  #apply(entries: readonly Entry[]): void {
    for (const { index, kind, data } of entries) {
      this.#appliedIndex = index
      if (kind === 'command') this.applied.push(Buffer.from(data).toString())
    }
  }
}

/** Three servers that know each other, before any election. */
async function cluster(t: Test): Promise<Member[]> {
  const members = ['a', 'b', 'c'].map((id) => new Member(id))
  for (const member of members) await member.open(t)
  const addresses = Object.fromEntries(members.map(({ rig }) => [rig.id, rig.address]))
  const config = {
    voters: ['a', 'b', 'c'],
    votersOutgoing: [],
    learners: [],
    addresses,
    prevConfIndex: 0,
  }
  const first: Entry = { index: 1, term: 1, kind: 'config', data: encodeConfig(config) }
  for (const member of members) member.start(t, first)
  await join(...members.map((member) => member.rig))
  return members
}

async function leaderOf(members: readonly Member[]): Promise<Member> {
  const find = () => members.find(({ driver }) => driver.raft.state.role === 'leader')
  await Promise.any(
    members.map((member) => member.rig.until('a leader', () => find() !== undefined)),
  )
  return must(find())
}

t.test('three servers elect a leader, commit, and go on without it when it ends', async (t) => {
  const members = await cluster(t)
  const leader = await leaderOf(members)
  const commands = Array.from({ length: 300 }, (_, n) => `command ${n}`)
  for (const command of commands) leader.driver.raft.propose([Buffer.from(command)])
  leader.run()
  for (const member of members) {
    await member.rig.until('all commands', () => member.applied.length === commands.length)
    t.strictSame(member.applied, commands)
  }
  await leader.rig.transport.close()
  const others = members.filter((member) => member !== leader)
  const next = await leaderOf(others)
  t.not(next, leader)
  const follower = must(others.find((member) => member !== next))
  // A follower hands a write on.
  const answer = await follower.rig.transport.request(
    { id: next.rig.id },
    'propose',
    Buffer.from('after'),
    5000,
  )
  t.equal(answer.toString(), 'accepted')
  for (const member of others) {
    await member.rig.until('the last command', () => member.applied.at(-1) === 'after')
  }
})

function openssl(dir: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
}

/** Certificates for the three cases, signed by two authorities. */
function certificates(dir: string): (ca: string, name: string) => PeerTls {
  const made = new Map<string, string>()
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const read = (file: string): string =>
    execFileSync('cat', [joinPath(dir, file)], { encoding: 'utf8' })
  return (ca, name) => {
    if (!made.has(ca)) {
      const subject = ['-subj', `/CN=${ca}`, '-days', '2']
      openssl(dir, 'req', '-x509', ...key, '-keyout', `${ca}.key`, '-out', `${ca}.pem`, ...subject)
      made.set(ca, read(`${ca}.pem`))
    }
    const file = `${ca}-${name}`
    const request = ['-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', '/O=svcd']
    openssl(dir, 'req', ...key, ...request)
    writeFileSync(joinPath(dir, `${file}.ext`), `subjectAltName=DNS:${name},DNS:*.example.org`)
    const signed = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-days', '2']
    const out = ['-extfile', `${file}.ext`, '-out', `${file}.pem`]
    openssl(dir, 'x509', '-req', '-in', `${file}.csr`, ...signed, ...out)
    return { cert: read(`${file}.pem`), key: read(`${file}.key`), ca: must(made.get(ca)) }
  }
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

const skip = hasOpenssl() ? false : 'openssl is not on PATH'

t.test(
  'with certificates, only servers that have the right ones are let in',
  { skip },
  async (t) => {
    const make = certificates(t.testdir({}))
    const a = await rig(t, 'a', { tls: make('ca', 'a') })
    await t.test('by the node id, or the node name', async (t) => {
      const b = await rig(t, 'b', { tls: make('ca', 'name-b') })
      await join(a, b)
      a.transport.send([heartbeat('a', 'b')])
      b.transport.send([heartbeat('b', 'a')])
      await b.until('a message', () => b.messages.length === 1)
      await a.until('a message', () => a.messages.length === 1)
      const answer = await b.transport.request({ id: 'a' }, 'ask', Buffer.alloc(100_000, 'x'), 5000)
      t.equal(answer.length, 100_006)
      await b.transport.close()
    })
    await t.test('together with a secret, whoever dials', async (t) => {
      const secret = { keys: [randomBytes(32)], isRequired: true }
      const x = await rig(t, 'a', { tls: make('ca', 'a'), secret })
      const y = await rig(t, 'b', { tls: make('ca', 'b'), secret })
      await join(x, y)
      for (const [from, to] of [
        [x, y],
        [y, x],
      ] as const) {
        const answer = await from.transport.request({ id: to.id }, 'ask', Buffer.from('x'), 5000)
        t.equal(answer.length, 7)
      }
      await x.transport.close()
      await y.transport.close()
    })
    await t.test('not with the name of another, a part of a name, or a wildcard', async (t) => {
      for (const [id, name] of [
        ['c', 'z'],
        ['c.example.org', 'y'],
        ['.example.org', 'w'],
      ] as const) {
        const c = await rig(t, id, {
          tls: make('ca', name),
          self: { id, name: id, address: undefined },
        })
        await t.rejects(c.transport.request({ address: a.address }, 'x', Buffer.alloc(0), 3000), {
          code: 'peer-refuses-connection',
          message: /the certificate of .* is for .*: its name must be the node ID or the node name/,
        })
        await a.said(new RegExp(`the certificate of ${id} .* is for .*DNS:${name}`))
        await c.transport.close()
      }
    })
    await t.test('not by another authority, in either role, nor without TLS', async (t) => {
      const d = await rig(t, 'd', { tls: make('other', 'd') })
      await t.rejects(d.transport.request({ address: a.address }, 'x', Buffer.alloc(0), 3000), {
        code: 'peer-unreachable',
        message: /certificate/,
      })
      a.transport.setPeers(new Map([['d', d.address]]))
      await a.said(/cannot reach peer .*: .*certificate/)
      await d.said(/no TLS connection: /)
      const e = await rig(t, 'e')
      await t.rejects(e.transport.request({ address: a.address }, 'x', Buffer.alloc(0), 3000), {
        code: 'peer-refuses-connection',
        message: /this server requires TLS between servers: set -peer-cert-file/,
      })
      await a.said(/no TLS connection: the other side does not speak TLS/)
      t.notOk(a.transport.peers().some((peer) => peer.isConnected))
      await e.transport.close()
      await d.transport.close()
    })
  },
)
