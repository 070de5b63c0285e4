import t from 'tap'
import type { Status } from '../../../src/raft/status.ts'
import type { OwnCommand } from '../../../src/replica/duties/duty.ts'
import { TokenExpiry } from '../../../src/replica/duties/token-expiry.ts'

t.test('the leader removes tokens whose time is over, and repeats what got lost', async (t) => {
  let [firstMs, wallMs]: [number | undefined, number] = [5000, 1000]
  const proposed: OwnCommand[] = []
  const duty = new TokenExpiry({
    tokens: { nextExpirationMs: () => firstMs },
    wallMs: () => wallMs,
    propose: (command) => proposed.push(command),
  })
  const status = {} as Status
  duty.check(status, 0)
  t.strictSame(proposed, [])
  wallMs = 5000
  duty.check(status, 500)
  t.strictSame(proposed, [], 'it looks once a second')
  duty.check(status, 1000)
  t.strictSame(proposed, [{ kind: 'acl-tokens-expire', untilMs: 5000 }])
  duty.check(status, 2000)
  t.equal(proposed.length, 1)
  duty.check(status, 6000)
  t.equal(proposed.length, 2, 'the first proposal was not applied')
  firstMs = undefined
  duty.check(status, 11_000)
  t.equal(proposed.length, 2)
})
