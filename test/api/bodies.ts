import fc from 'fast-check'

// Bodies that are nearly right: known fields with values of mostly the right kind.

const word = fc.oneof(
  fc.constantFrom('web', 'a b', '', '10.0.0.1', '::1', 'host.example', 'lan_ipv4', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const junk = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(null))
const number = fc.oneof(fc.constantFrom(0, 1, 80, 65_535, 65_536, -1, 1.5), fc.double())
const duration = fc.oneof(fc.constantFrom('10s', '1m30s', '0', '', '-1s', 'x', 5e9, -1), number)
const flag = fc.boolean()
const map = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.dictionary(word, value, { maxKeys: 3 })

/** Each field is there or not, and now and then of another kind. */
function partial(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const spoiled = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      fc.oneof({ weight: 30, arbitrary: value }, { weight: 1, arbitrary: junk }),
    ]),
  )
  return fc.record(spoiled, { requiredKeys: [] })
}

const status = fc.constantFrom('passing', 'warning', 'critical', '', 'fine')

const check = partial({
  Name: word,
  Status: status,
  Notes: word,
  TTL: duration,
  HTTP: fc.constantFrom('http://127.0.0.1/', '', 'x'),
  Interval: duration,
  Timeout: duration,
  Header: map(fc.array(word, { maxLength: 2 })),
  DeregisterCriticalServiceAfter: duration,
  FailuresBeforeCritical: number,
})
const ttlCheck = fc.record({ TTL: fc.constant('10s'), Status: status })

const service = {
  ID: word,
  Tags: fc.array(word, { maxLength: 3 }),
  Address: word,
  Port: number,
  Meta: map(word),
  TaggedAddresses: map(fc.record({ Address: word, Port: number })),
  Weights: fc.record({ Passing: number, Warning: number }),
  EnableTagOverride: flag,
  Proxy: map(junk),
}

/** Half of them take few fields, so that many are accepted. */
export const agentServiceBodies = fc.oneof(
  partial({ ...service, Name: word, Check: check, Checks: fc.array(check, { maxLength: 3 }) }),
  partial({ Name: word, Tags: service.Tags, Check: ttlCheck, Proxy: service.Proxy }),
)

export const checkBodies = fc.oneof(
  check,
  fc.record({ Name: word, ID: word, TTL: fc.constant('10s'), ServiceID: word }),
)

export const catalogBodies = fc.oneof(
  partial({
    Node: word,
    Address: word,
    TaggedAddresses: map(word),
    NodeMeta: map(word),
    Service: partial({ ...service, Service: word }),
    Check: partial({ CheckID: word, Name: word, Status: status, Definition: check }),
    SkipNodeUpdate: flag,
  }),
  fc.record({
    Node: word,
    Address: fc.constant('10.0.0.1'),
    Service: partial({ Service: word, Port: number }),
  }),
)
