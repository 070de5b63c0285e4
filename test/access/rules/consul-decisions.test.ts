import t from 'tap'
import { ruleCase } from '../../helpers/access-rules.ts'
import { decisionsOf, hashOf, storedDecisions } from '../../helpers/consul-decisions.ts'

// test/interop/access-rules.test.ts asks a Consul, and writes what it decided with REWRITE=1.

t.test('decisions about 500 policies are those of Consul', async (t) => {
  const { cases } = storedDecisions()
  let policies = 0
  for (const { seed, hash, deny, allow } of cases) {
    const made = ruleCase(seed)
    policies += made.policies.length
    t.equal(hashOf(made), hash, `case ${seed} is the one that Consul decided`)
    t.equal(decisionsOf(made, 'deny'), deny, `case ${seed}, deny by default`)
    t.equal(decisionsOf(made, 'allow'), allow, `case ${seed}, allow by default`)
  }
  t.ok(policies >= 500, `${policies} policies`)
})
