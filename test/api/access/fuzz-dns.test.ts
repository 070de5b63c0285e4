import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../../src/base/assert.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { defaultZone } from '../../../src/dns/zone.ts'
import { decodeReply } from '../../../src/net/dns-client.ts'
import { dnsRights } from '../../../src/node/dns-access.ts'
import { openAnswerer } from '../../../src/resolver/answering.ts'
import type { Answerer } from '../../../src/resolver/answering.ts'
import { dnsRightsOf } from '../../../src/resolver/dns-rights.ts'
import { SharedMode } from '../../../src/resolver/threads/messages.ts'
import { openVersions } from '../../../src/state/families.ts'
import { buildQuery } from '../../dns/fixture.ts'
import { requestsOf } from '../../helpers/access-requests.ts'
import { allRules, anyDeny, anyRules, largeDeny, naive } from '../../helpers/plain-rules.ts'
import type { PlainRule } from '../../helpers/plain-rules.ts'
import { questions, shownByDns } from './fuzz-dns-cases.ts'
import type { DnsQuestion } from './fuzz-dns-cases.ts'
import { World } from './fuzz-world.ts'

/** DNS over the state of a world, as a DNS thread answers; asked without a socket. */
function answererOf(t: Test, world: World): Answerer {
  const mode = new SharedMode()
  mode.value = 'ready'
  const answerer = openAnswerer(
    {
      statePath: join(world.api.backend.directory, 'state.db'),
      versions: openVersions().buffer,
      mode: mode.buffer,
      zone: defaultZone(['consul'], 'dc1'),
      onlyPassing: false,
      nodeName: world.api.backend.identity.nodeName,
      udpSizeMax: 1232,
      rights: { policies: [], defaultPolicy: 'deny' },
    },
    {
      onError: (error: unknown) => {
        throw error
      },
      onSuspicion: () => {},
    },
  )
  t.teardown(() => answerer.close())
  return answerer
}

// CVE-2021-36213
for (const byDefault of ['deny', 'allow'] as const) {
  t.test(
    `by default ${byDefault}: DNS shows what the rules of its token allow, and no more after a deny`,
    async (t) => {
      const world = new World(t, byDefault)
      await world.seed()
      await world.lockKeys()
      const answerer = answererOf(t, world)
      // Complete answers: of a cut one, a smaller one could show more.
      const asker = { transport: 'tcp', client: '127.0.0.1', pathBytesMax: 1232 } as const
      let [asked, shownBefore, shownAfter] = [0, 0, 0]
      const ask = ({ name, type }: DnsQuestion) => {
        asked++
        return decodeReply(must(answerer.responder.respond(buildQuery(name, type), asker)))
      }
      /** As the main thread tells a DNS thread. */
      const allow = (secret: string): void => {
        const rights = dnsRights({
          tokens: world.tokens,
          secret: () => secret,
          logger: silentLogger,
        })
        answerer.setRights(structuredClone(dnsRightsOf(rights)))
      }
      const property = fc.asyncProperty(anyRules, anyDeny, async (rules, deny) => {
        const isOpen = byDefault === 'allow'
        const grants = await world.grants(rules)
        const secrets = [
          await world.setToken(4, grants),
          await world.setToken(5, await world.narrowed(grants, deny)),
        ]
        const mays = [naive(rules, isOpen), naive([...rules, deny], isOpen)]
        const wide = new Set<string>()
        for (const [at, secret] of secrets.entries()) {
          allow(secret)
          // Twice: the second answer may come from the cache.
          for (const question of [...questions, ...questions]) {
            for (const { text, isAllowed } of shownByDns(question, ask(question), must(mays[at]))) {
              const what = `${question.name} ${question.type}: ${text}`
              if (!isAllowed) throw new Error(`DNS shows ${what}`)
              if (at === 0) wide.add(what)
              else if (!wide.has(what)) throw new Error(`a deny made DNS show ${what}`)
              else shownAfter++
            }
          }
          if (at === 0) shownBefore += 2 * wide.size
        }
      })
      const numRuns = Math.max(4, Math.ceil(requestsOf('dns') / 2 / (4 * questions.length)))
      // The first deny hides everything, the second nothing.
      const noKeys: PlainRule = { ...largeDeny, kind: 'key' }
      const examples: [PlainRule[], PlainRule][] = [largeDeny, noKeys].map((deny) => [
        [...allRules],
        deny,
      ])
      await fc.assert(property, { numRuns, endOnFailure: true, examples })
      t.ok(shownBefore > shownAfter && shownAfter > 0, `${shownBefore} things, then ${shownAfter}`)
      t.comment(`${asked} queries`)
    },
  )
}
