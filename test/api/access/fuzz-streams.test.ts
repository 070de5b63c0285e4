import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { requestsOf } from '../../helpers/access-requests.ts'
import {
  allRules,
  anyDeny,
  anyRules,
  largeDeny,
  naive,
  nameOf,
  suffixes,
} from '../../helpers/plain-rules.ts'
import type { May } from '../../helpers/plain-rules.ts'
import { streams } from './fuzz-cases.ts'
import type { Pick, Request } from './fuzz-requests.ts'
import { forbidden, shownIn } from './fuzz-judge.ts'
import { instanceBody, lowerSuffixes, mark, World } from './fuzz-world.ts'

const anyPick = fc.record({
  suffix: fc.constantFrom(...suffixes),
  other: fc.constantFrom(...suffixes),
  lower: fc.constantFrom(...lowerSuffixes),
  otherLower: fc.constantFrom(...lowerSuffixes),
  way: fc.nat(59),
})

/** A stream that is open, or was refused. */
interface Opened {
  readonly asked: Request
  readonly isRefused: boolean
  /** All that it has sent when it has ended. */
  readonly text: Promise<string>
}

async function open(world: World, secret: string, asked: Request): Promise<Opened> {
  const { port } = world.api.app.server.address() as AddressInfo
  const headers = { 'x-consul-token': secret }
  const path = `/v1/${asked.path}`
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }).end()
  world.requests++
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = once(response, 'end').then(() => text)
  return { asked, isRefused: response.statusCode === 403, text: ended }
}

/** Something of each kind that streams show changes, and the feeds of these streams have looked at it. */
async function change(world: World, { suffix, lower }: Pick, feeds: number): Promise<void> {
  const seen = async (): Promise<void> => {
    while (world.api.backend.waiting < feeds) await turn()
  }
  await seen()
  const port = 1 + (world.requests % 60_000)
  const instance = instanceBody(nameOf('node', lower), nameOf('service', suffix))
  await world.do('PUT', 'catalog/register', {
    ...instance,
    Service: { ...instance.Service, Port: port },
    Check: { ...instance.Check, Status: port % 2 === 0 ? 'passing' : 'warning' },
  })
  const key = nameOf('key', suffix)
  await world.do('PUT', `kv/${key}`, `${mark(`key:${key}`)} ${port}`)
  await world.fire(nameOf('event', suffix))
  await seen()
}

/** This shows the first of several spellings that may be read: a deny of that one makes the next one the first. */
const showsFirst = 'GET /v1/watch/summary'

/** Opens all streams, changes what they may show, ends them by `end`, and returns what each has shown. */
async function watched(
  world: World,
  [secret, may, pick]: readonly [string, May, Pick],
  end: () => Promise<unknown>,
): Promise<readonly ReadonlySet<string>[]> {
  const asked = Object.values(streams).map((make) => make(world, pick))
  const all = await Promise.all(asked.map((each) => open(world, secret, each)))
  const feeds = all.filter(
    ({ asked: { path }, isRefused }) => path.startsWith('watch') && !isRefused,
  )
  // One more waits for changes of tokens.
  await change(world, pick, feeds.length + 1)
  await end()
  const shown: Set<string>[] = []
  for (const { asked: each, isRefused, text } of all) {
    const isAllowed = each.isAllowed?.(may) ?? true
    if (isRefused === isAllowed) throw new Error(`${each.path}: ${isRefused ? '' : 'not '}refused`)
    const found = shownIn(await text, each)
    const wrong = forbidden(found, may, each)
    if (wrong.length > 0) throw new Error(`${each.path} shows ${wrong.join(', ')}`)
    shown.push(new Set(found.map((one) => one.text)))
  }
  return shown
}

// CVE-2022-3920, CVE-2021-36213
for (const byDefault of ['deny', 'allow'] as const) {
  t.test(
    `by default ${byDefault}: a stream shows what the rules allow, ends when they change, and shows no more after a deny`,
    async (t) => {
      const world = new World(t, byDefault)
      await world.api.app.listen({ port: 0, host: '127.0.0.1' })
      await world.seed()
      let shownBefore = 0
      let shownAfter = 0
      const property = fc.asyncProperty(anyRules, anyDeny, anyPick, async (rules, deny, pick) => {
        const isOpen = byDefault === 'allow'
        const grants = await world.grants(rules)
        const secret = await world.setToken(3, grants)
        const narrowed = await world.narrowed(grants, deny)
        const mays = [naive(rules, isOpen), naive([...rules, deny], isOpen)] as const
        const wide = await watched(world, [secret, mays[0], pick], () =>
          world.setToken(3, narrowed),
        )
        const narrow = await watched(world, [secret, mays[1], pick], () =>
          world.setToken(3, grants),
        )
        for (const [at, shown] of narrow.entries()) {
          const more = [...shown].filter((text) => !must(wide[at]).has(text))
          const name = must(Object.keys(streams)[at])
          if (more.length > 0 && name !== showsFirst)
            throw new Error(`${name}: a deny made it show ${more.join(', ')}`)
          shownBefore += must(wide[at]).size
          shownAfter += shown.size
        }
      })
      const perRun = 2 * Object.keys(streams).length
      const numRuns = Math.max(4, Math.ceil(requestsOf('streams') / 2 / perRun))
      const first: Pick = { suffix: 'a', other: 'b', lower: 'a', otherLower: 'b', way: 1 }
      await fc.assert(property, {
        numRuns,
        endOnFailure: true,
        examples: [[allRules, largeDeny, first]],
      })
      t.ok(shownBefore > shownAfter && shownAfter > 0, `${shownBefore} things, then ${shownAfter}`)
      t.comment(`${world.requests} requests`)
    },
  )
}
