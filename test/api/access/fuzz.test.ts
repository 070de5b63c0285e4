import fc from 'fast-check'
import t from 'tap'
import { endpoints } from '../../../src/api/endpoints/families.ts'
import { must } from '../../../src/base/assert.ts'
import { methodsOf } from '../../../src/http/endpoint.ts'
import { requestsOf } from '../../helpers/access-requests.ts'
import { allRules, anyDeny, anyRules, naive, suffixes, textOf } from '../../helpers/plain-rules.ts'
import type { May, PlainRule } from '../../helpers/plain-rules.ts'
import { cases, streams } from './fuzz-cases.ts'
import type { Pick } from './fuzz-requests.ts'
import { forbidden, shownIn } from './fuzz-judge.ts'
import { lowerSuffixes, World } from './fuzz-world.ts'
import type { Method } from './fuzz-world.ts'

/** Requests with one set of rules. */
const perRules = 40

const rows = Object.keys({ ...cases, ...streams })
const anyRow = fc.record({
  row: fc.constantFrom(...rows),
  pick: fc.record({
    suffix: fc.constantFrom(...suffixes),
    other: fc.constantFrom(...suffixes),
    lower: fc.constantFrom(...lowerSuffixes),
    otherLower: fc.constantFrom(...lowerSuffixes),
    way: fc.nat(59),
  }),
})
const anyRows = fc.array(anyRow, { minLength: perRules, maxLength: perRules })

/** What a token got for a request. */
interface Got {
  readonly isRefused: boolean
  readonly shown: ReadonlySet<string>
}

/** Sends the request, and throws when the answer is not one that the rules allow. */
async function got(
  world: World,
  secret: string,
  { row, pick }: { readonly row: string; readonly pick: Pick },
  may: May,
): Promise<Got> {
  const request = must(cases[row] ?? streams[row])(world, pick)
  const [method = ''] = row.split(' ')
  // A stream would not end: it is asked whether it would begin.
  const asked = row in streams ? 'HEAD' : (method as Method)
  const reply = await world.ask(secret, asked, request.path, request.body)
  const { status, body } = reply
  const isRefused = status === (request.refusedWith ?? 403)
  if (!isRefused) await request.undo?.()
  const name = `${asked} ${request.path} ${JSON.stringify(request.body ?? '')}: ${status} ${body}`
  const isAllowed = request.isAllowed?.(may) ?? true
  if (isRefused === isAllowed) throw new Error(`${isRefused ? 'refused' : 'not refused'}: ${name}`)
  const shown = shownIn(`${body} ${JSON.stringify(reply.headers)}`, request)
  const wrong = forbidden(shown, may, request)
  if (wrong.length > 0) throw new Error(`shows ${wrong.join(', ')}: ${name}`)
  return { isRefused, shown: new Set(shown.map(({ text }) => text)) }
}

/** These show the first of several names that may be read: a deny of that one makes the next one the first. */
const showsFirst = /^GET \/v1\/(?:health\/summary|agent\/service\/\{service_id\})$/
/** This shows the rules of the token, of which the deny is one. */
const showsRules = 'GET /v1/acl/rights'

function mustBeWithin(narrow: Got, wide: Got): void {
  if (wide.isRefused && !narrow.isRefused) throw new Error('a deny made it allowed')
  const more = [...narrow.shown].filter((text) => !wide.shown.has(text))
  if (more.length > 0) throw new Error(`a deny made it show ${more.join(', ')}`)
}

// CVE-2022-3920, CVE-2021-36213
for (const byDefault of ['deny', 'allow'] as const) {
  t.test(
    `by default ${byDefault}: every endpoint does and shows what the rules of the token allow, and one deny more never widens it`,
    async (t) => {
      const world = new World(t, byDefault)
      await world.seed()
      const property = fc.asyncProperty(anyRules, anyDeny, anyRows, async (rules, deny, asked) => {
        const denied = [...rules, deny]
        const [may, mayStill] = [rules, denied].map((each) => naive(each, byDefault === 'allow'))
        const grants = await world.grants(rules)
        const some = await world.setToken(1, grants)
        const less = await world.setToken(2, await world.narrowed(grants, deny))
        for (const each of asked) {
          const wide = await got(world, some, each, must(may))
          const narrow = await got(world, less, each, must(mayStill))
          const isCompared = !showsFirst.test(each.row) && each.row !== showsRules
          if (isCompared) mustBeWithin(narrow, wide)
        }
      })
      const numRuns = Math.ceil(requestsOf('endpoints') / 4 / perRules)
      await fc.assert(property, { numRuns, endOnFailure: true, reporter: reportOf })
      t.comment(`${world.requests} requests`)
      t.pass()
    },
  )
}

/** What failed, with its rules in the rule language. Nothing is shrunk: that would take minutes. */
function reportOf<T>(run: fc.RunDetails<T>): void {
  if (!run.failed) return
  const [rules, deny] = run.counterexample as unknown as [PlainRule[], PlainRule]
  const lines = [...rules, deny].map(textOf).join('; ')
  const reason = run.errorInstance instanceof Error ? run.errorInstance.message : ''
  throw new Error(`${reason}\nrules, and the deny: ${lines}\nseed ${run.seed}`)
}

t.test(
  'each endpoint of the table has requests, which show something with all rights',
  async (t) => {
    const table = endpoints.flatMap((row) =>
      methodsOf(row).map((method) => `${method} ${row.path}`),
    )
    t.strictSame(rows.toSorted(), table.toSorted(), 'a row needs a case in fuzz-cases.ts')
    const world = new World(t, 'deny')
    await world.seed()
    const all = await world.setToken(1, await world.grants(allRules))
    const picks = (['a', 'A'] as const).flatMap((suffix) =>
      [0, 1, 2, 3].map((way): Pick => ({
        suffix,
        other: 'b',
        lower: 'b',
        otherLower: 'a',
        way,
      })),
    )
    const shown = new Set<string>()
    for (const row of rows) {
      for (const pick of picks) {
        const { shown: found } = await got(world, all, { row, pick }, naive(allRules, false))
        if (found.size > 0) shown.add(row)
      }
    }
    // Nothing says which service a gateway is for, and HEAD shows nothing.
    const empty = /gateway|ingress|watch/
    for (const { path, permission } of endpoints) {
      if ('filteredBy' in permission && !empty.test(path)) t.ok(shown.has(`GET ${path}`), path)
    }
  },
)
