import t from 'tap'
import { stepAfter } from '../../src/client/refused-access.ts'

const denied = (permission: string, on: string): string =>
  `Permission denied: token with AccessorID 'a1' lacks permission '${permission}'${on}. Send another token.`

t.test('a refusal of access control names the next step', async (t) => {
  const step = (reason: string, hasToken = true, status = 403): string =>
    stepAfter({ status, reason }, hasToken)
  t.equal(
    step(denied('service:write', ' on "web"')),
    ' Run `svcd acl why self service:write web` to see which rule decides.',
  )
  t.match(step(denied('acl:read', '')), 'svcd acl why self acl:read`')
  t.match(step(denied('key:write', ` on "it's \\"a\\" key"`)), `key:write 'it'\\''s "a" key'\``)
  t.equal(step('Permission denied'), '.', "an agent of Consul's names no permission")
  t.match(step(denied('acl:read', ''), false), 'sent no token: set SVCD_HTTP_TOKEN')
  t.match(step('ACL not found'), /^\. Check SVCD_HTTP_TOKEN/)
  t.match(step('ACL support disabled', true, 401), 'Start the agents with -acl')
  t.equal(step('Forbidden: the host name is unknown'), '')
  t.equal(step('Permission denied by the disk', true, 500), '')
})
