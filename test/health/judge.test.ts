import t from 'tap'
import fc from 'fast-check'
import { aggregatedStatus, judge } from '../../src/health/judge.ts'
import type { Instance } from '../../src/state/catalog/model.ts'
import type { Candidate, JudgedCheck, Verdict } from '../../src/health/judge.ts'

const weights = { passing: 10, warning: 2 }
const both = { onlyPassing: false }
const strict = { onlyPassing: true }

const serf = (status: JudgedCheck['status']): JudgedCheck => ({
  checkId: 'serfHealth',
  status,
  serviceId: '',
})
const own = (status: JudgedCheck['status'], checkId = 'service:web'): JudgedCheck => ({
  checkId,
  status,
  serviceId: 'web',
})
const instance = (...checks: readonly JudgedCheck[]): Candidate => ({
  service: { weights },
  checks,
})

const cases: readonly (readonly [string, Candidate, Verdict])[] = [
  [
    'without checks it passes',
    instance(),
    { status: 'passing', inAnswer: true, passing: true, weight: 10, rule: 'passing', checkId: '' },
  ],
  [
    'a warning stays in DNS, with its own weight, and leaves `passing`',
    instance(serf('passing'), own('warning')),
    {
      status: 'warning',
      inAnswer: true,
      passing: false,
      weight: 2,
      rule: 'warning-service-check',
      checkId: 'service:web',
    },
  ],
  [
    'a warning of the node counts as well',
    instance(serf('warning'), own('passing')),
    {
      status: 'warning',
      inAnswer: true,
      passing: false,
      weight: 2,
      rule: 'warning-node-check',
      checkId: 'serfHealth',
    },
  ],
  [
    'one critical service check among others takes it out',
    instance(own('passing', 'a'), own('critical', 'b'), own('warning', 'c'), serf('passing')),
    {
      status: 'critical',
      inAnswer: false,
      passing: false,
      weight: 0,
      rule: 'critical-service-check',
      checkId: 'b',
    },
  ],
  [
    'a critical node check takes it out and is named before a service check',
    instance(own('critical', 'a'), serf('critical')),
    {
      status: 'critical',
      inAnswer: false,
      passing: false,
      weight: 0,
      rule: 'critical-node-check',
      checkId: 'serfHealth',
    },
  ],
  [
    'service maintenance is graver than critical',
    instance(own('critical', '_service_maintenance:web'), serf('critical')),
    {
      status: 'maintenance',
      inAnswer: false,
      passing: false,
      weight: 0,
      rule: 'service-maintenance',
      checkId: '_service_maintenance:web',
    },
  ],
  [
    'node maintenance is gravest, whatever the status of its check',
    instance(
      { checkId: '_node_maintenance', status: 'passing', serviceId: '' },
      own('critical', '_service_maintenance:web'),
    ),
    {
      status: 'maintenance',
      inAnswer: false,
      passing: false,
      weight: 0,
      rule: 'node-maintenance',
      checkId: '_node_maintenance',
    },
  ],
  [
    'a check that only looks like maintenance is an ordinary one',
    instance(own('passing', '_custom')),
    { status: 'passing', inAnswer: true, passing: true, weight: 10, rule: 'passing', checkId: '' },
  ],
]

t.test('every rule gives its verdict and names the check that decided', async (t) => {
  for (const [claim, candidate, expected] of cases) {
    t.strictSame(judge(candidate, both), expected, claim)
    t.equal(aggregatedStatus(candidate.checks), expected.status, claim)
  }
})

t.test('onlyPassing takes warnings out of DNS and changes nothing else', async (t) => {
  for (const [claim, candidate, expected] of cases) {
    const inAnswer = expected.inAnswer && expected.status === 'passing'
    t.strictSame(judge(candidate, strict), { ...expected, inAnswer }, claim)
  }
})

t.test(
  'the verdict is the one of Consul: no critical check in DNS, only passing ones in `passing`',
  async (t) => {
    const status = fc.constantFrom('passing', 'warning', 'critical')
    const check = fc.record({
      checkId: fc.constantFrom('a', 'b', 'serfHealth', 'service:web'),
      status,
      serviceId: fc.constantFrom('', 'web'),
    })
    fc.assert(
      fc.property(fc.array(check, { maxLength: 6 }), fc.boolean(), (checks, onlyPassing) => {
        const verdict = judge(instance(...checks), { onlyPassing })
        const all = (...allowed: readonly string[]): boolean =>
          checks.every((check) => allowed.includes(check.status))
        return (
          verdict.passing === all('passing') &&
          verdict.inAnswer === (onlyPassing ? all('passing') : all('passing', 'warning')) &&
          (verdict.checkId === '') === all('passing')
        )
      }),
    )
    t.pass('held for every sample')
  },
)

t.test("the catalog's instances fit without conversion", async (t) => {
  const ofCatalog = (instances: readonly Instance[]): readonly Verdict[] =>
    instances.map((each) => judge(each, both))
  t.strictSame(ofCatalog([]), [])
})
