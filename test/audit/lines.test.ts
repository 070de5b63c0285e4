import t from 'tap'
import { changeLine, indexIn, requestLine } from '../../src/audit/lines.ts'
import { aboutOf, families } from '../../src/state/families.ts'
import type { CommandBody } from '../../src/state/families.ts'
import type { Command, Outcome } from '../../src/state/machine/command.ts'
import type { CommandKind } from '../../src/state/machine/family.ts'

const timeMs = Date.UTC(2026, 10, 28, 5, 17, 0, 123)

function command(body: CommandBody, more: Partial<Command> = {}): Command {
  return {
    version: 1,
    timeMs,
    requestId: 'r-1',
    actor: 'http 10.0.0.1',
    cause: 'a cause',
    body,
    ...more,
  }
}

function line(body: CommandBody, outcome: Outcome | undefined, more?: Partial<Command>): object {
  return JSON.parse(changeLine(7, command(body, more), outcome)) as object
}

const put = { kind: 'kv-put', key: 'a/b', value: 'c2VjcmV0', flags: '0' } as const

t.test('every kind of command says what it is about', (t) => {
  for (const family of families) {
    for (const [kind, row] of Object.entries<CommandKind>(family.commands)) {
      t.type(row.about, 'function', `${family.name}: ${kind}`)
    }
  }
  t.end()
})

t.test('the line of a change has its time, index, actor, cause, operation and outcome', (t) => {
  const accessor = '6a1253d2-1785-24fd-91c2-f8e78c745511'
  t.strictSame(line(put, { ok: true, index: 7 }, { accessor }), {
    time: '2026-11-28T05:17:00.123Z',
    type: 'change',
    index: 7,
    requestId: 'r-1',
    actor: { kind: 'http', address: '10.0.0.1', accessor },
    cause: 'a cause',
    operation: 'kv-put',
    target: { key: 'a/b' },
    outcome: 'applied',
  })
  t.end()
})

t.test('the outcome of a change says why nothing was applied', (t) => {
  const cases: readonly (readonly [Outcome | undefined, object])[] = [
    [
      { ok: true, index: 7, value: false },
      { outcome: 'not-applied', reason: 'condition' },
    ],
    [
      { ok: true, index: 7, value: 'lock-delay' },
      { outcome: 'not-applied', reason: 'lock-delay' },
    ],
    [
      { ok: true, index: 7, value: { failures: [{ why: 'stale', op: 0 }] } },
      { outcome: 'not-applied', reason: 'stale' },
    ],
    [
      { ok: false, index: 7, error: 'unknown-node', subject: 'n9' },
      { outcome: 'not-applied', reason: 'unknown-node' },
    ],
    [
      { ok: true, index: 3 },
      { outcome: 'repeated', of: 3 },
    ],
    [undefined, { outcome: 'unknown' }],
  ]
  for (const [outcome, expected] of cases) t.match(line(put, outcome), expected)
  t.end()
})

t.test('what a check says is not recorded', (t) => {
  const body = {
    kind: 'update-check',
    nodeName: 'n1',
    checkId: 'web',
    status: 'critical',
    output: 'password=hunter2',
  } as const
  const more = { actor: 'check web', cause: 'password=hunter2' }
  const written = changeLine(7, command(body, more), { ok: true, index: 7 })
  t.notMatch(written, 'hunter2')
  t.match(JSON.parse(written), {
    actor: { kind: 'check', name: 'web' },
    target: { node: 'n1', check: 'web', status: 'critical' },
  })
  t.end()
})

t.test('a batch and a transaction name each change', (t) => {
  t.strictSame(
    aboutOf({ kind: 'batch', bodies: [put, { kind: 'kv-delete-tree', prefix: 'x/' }] } as never),
    {
      changes: [
        { operation: 'kv-put', key: 'a/b' },
        { operation: 'kv-delete-tree', prefix: 'x/' },
      ],
    },
  )
  const ops = [
    { verb: 'get', key: 'r' },
    { verb: 'lock', key: 'l', value: 'c2VjcmV0', session: 's' },
    { verb: 'delete-service', node: 'n', id: 'web' },
  ]
  t.strictSame(aboutOf({ kind: 'txn', ops } as never), {
    changes: [
      { operation: 'lock', key: 'l', session: 's' },
      { operation: 'delete-service', node: 'n', service: 'web' },
    ],
  })
  t.end()
})

t.test('the line of a request has no index, and each other line accounts for entries', (t) => {
  const written = requestLine(
    {
      timeMs,
      operation: 'put_agent_leave',
      address: '::1',
      accessor: '',
      target: {},
      outcome: 'denied',
      status: 403,
    },
    'r-2',
  )
  t.strictSame(JSON.parse(written), {
    time: '2026-11-28T05:17:00.123Z',
    type: 'request',
    requestId: 'r-2',
    actor: { kind: 'http', address: '::1' },
    operation: 'put_agent_leave',
    target: {},
    outcome: 'denied',
    status: 403,
  })
  t.equal(indexIn(written), undefined)
  t.equal(indexIn(changeLine(9, command(put), undefined)), 9)
  t.equal(indexIn('{"type":"gap","from":3,"to":8}'), 8)
  t.equal(indexIn('{"type":"opened","after":5}'), 5)
  t.equal(indexIn('{"type":"change","index":'), undefined)
  t.end()
})

t.test('a line is one line and hides nothing, whatever is in a key', (t) => {
  const key = 'a\r\n{"type":"change"}\u001b[2J\u009b\u2028\u202eä\u{e0041}'
  const text = changeLine(7, command({ ...put, key }), undefined)
  t.match(JSON.parse(text), { target: { key } })
  t.match(text, /^[^\n]+\n$/)
  t.notMatch(
    text.slice(0, -1),
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u,
  )
  t.match(text, 'ä')
  t.end()
})
