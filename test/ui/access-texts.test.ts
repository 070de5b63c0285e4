import t from 'tap'
import {
  builtInNote,
  expiryText,
  globalManagementId,
  offsetOf,
  rightsByKind,
  rulesFault,
} from '../../src/ui/core/access.ts'
import { isLostToken } from '../../src/ui/core/lost-token.ts'
import { svcdError } from '../../src/base/errors.ts'

const rule = (Resource: string, Prefix: boolean, Name: string, Level: string) => ({
  Resource,
  Prefix,
  Name,
  Level,
  Policy: 'p',
  Line: 1,
})

t.test('rights are listed by kind, with what counts for all other names', async (t) => {
  const Rules = [
    rule('key', true, 'shop/', 'write'),
    rule('key', false, 'shop/password', 'deny'),
    rule('service', true, '', 'read'),
  ]
  const entry = { AccessorID: '', Description: '', Rules }
  const denied = rightsByKind({ ...entry, DefaultPolicy: 'deny' })
  const of = (rows: ReturnType<typeof rightsByKind>, wanted: string) =>
    rows.find(({ resource }) => resource === wanted)
  t.match(of(denied, 'key'), { level: 'deny', rule: undefined, exceptions: [Rules[0], Rules[1]] })
  t.match(of(denied, 'service'), { level: 'read', rule: Rules[2], exceptions: [] })
  const allowed = rightsByKind({ ...entry, DefaultPolicy: 'allow' })
  t.match(of(allowed, 'node'), { level: 'write', rule: undefined })
  t.match(of(allowed, 'acl'), { level: 'deny' }, 'the default policy never allows it')
})

t.test('the place of a fault in rules is read from the text of the agent', async (t) => {
  const { message } = svcdError('acl-rules-invalid', { line: 2, column: 12, reason: 'no level' })
  t.strictSame(rulesFault(message), { line: 2, column: 12, reason: 'no level' })
  t.equal(rulesFault('Invalid Policy: no Name is set'), undefined)
  const text = 'one\ntwo words\n'
  t.equal(text.slice(offsetOf(text, 2, 5), offsetOf(text, 2, 10)), 'words')
  t.equal(offsetOf(text, 99, 99), text.length, 'never behind the text')
})

t.test('a token that is gone differs from a right that is missing', async (t) => {
  t.equal(isLostToken(svcdError('acl-not-found', {}).message), true)
  t.equal(isLostToken(svcdError('acl-token-unknown', { id: 'x' }).message), false)
  const denial = { accessor: 'x', permission: 'acl:read', on: '' }
  t.equal(isLostToken(svcdError('permission-denied', denial).message), false)
})

t.test('expiry and built-in policies are said in words', async (t) => {
  t.equal(expiryText(undefined, 0), 'never')
  t.equal(expiryText('1970-01-01T03:00:00Z', 0), 'in 3 h')
  t.equal(expiryText('1970-01-01T03:00:00Z', 4 * 3_600_000), 'expired')
  t.match(builtInNote(globalManagementId), /allows everything/)
  t.equal(builtInNote('99999999-0000-4000-8000-000000000000'), undefined)
})
