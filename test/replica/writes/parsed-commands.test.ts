import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { decodeCommand, openVersions } from '../../../src/state/families.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import type { Outcome, Proposal } from '../../../src/state/machine/command.ts'
import { StateWriter } from '../../../src/storage/state.ts'
import { CatalogStateMachine } from '../../../src/replica/catalog-state-machine.ts'
import { parseProposal, stampAll, stamped } from '../../../src/replica/writes/log-entry.ts'
import {
  packProposals,
  packTexts,
  unpackProposals,
} from '../../../src/replica/writes/packed-proposals.ts'
import { ParsedCommands } from '../../../src/replica/writes/parsed-commands.ts'
import { readProposal } from '../../../src/replica/writes/sent-proposal.ts'
import { nodeDefinition, registerCommand, serviceDefinition } from '../../helpers/catalog.ts'
import { registration } from '../../helpers/state.ts'

/** A registration whose body holds whatever JSON can, printed by hand: names may come twice. */
const texts = fc
  .record({
    timeMs: fc.nat(),
    meta: fc.array(
      fc.tuple(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom('__proto__', 'constructor', 'a', '\ud800', '7', '-0', 'timeMs'),
        ),
        fc.string({ unit: 'binary' }),
      ),
    ),
    extra: fc.array(
      fc.tuple(
        fc.constantFrom('__proto__', 'toString', 'b', '10', '9'),
        fc.oneof(fc.json(), fc.constantFrom('-0', '1e400', '0.1', '"\\ud800"', '{"__proto__":{}}')),
      ),
    ),
    top: fc.array(
      fc.tuple(fc.constantFrom('__proto__', 'x', '3', 'cause', 'requestId'), fc.string()),
    ),
    gap: fc.constantFrom('', ' ', '\n\t'),
  })
  .map(({ timeMs, meta, extra, top, gap }) => {
    const names = (pairs: readonly (readonly [string, string])[]): string =>
      pairs.map(([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${value}`).join(',')
    const quoted = (pairs: readonly (readonly [string, string])[]) =>
      pairs.map(([name, value]) => [name, JSON.stringify(value)] as const)
    const node = `{"name":"n1","id":"","address":"10.0.0.1","taggedAddresses":{},"meta":{${names(quoted(meta))}}}`
    const service = `{"id":"s","name":"s","address":"","port":-0,"tags":[],"meta":{},"weights":{"passing":1,"warning":1},"taggedAddresses":{},"enableTagOverride":false,"owner":"agent","extra":{${names(extra)}}}`
    const body = `{"kind":"register","nodeName":"n1","node":${node},"service":${service},"checks":[],"replaceChecks":false}`
    const rest = top.length === 0 ? '' : `,${names(quoted(top))}`
    const text = `{${gap}"version":1,"requestId":"r","actor":"a","cause":"c","body":${body}${rest}}`
    return { timeMs, text }
  })

t.test('a command that was parsed before is the one that decoding its entry gives', async (t) => {
  let read = 0
  fc.assert(
    fc.property(texts, ({ timeMs, text }) => {
      const bytes = Buffer.from(text)
      const found = readProposal(bytes)
      if (found.fault !== undefined) return found.fault === 'its request ID is empty'
      read++
      const [entry] = stampAll([bytes], timeMs)
      if (entry?.equals(Buffer.from(`{"timeMs":${timeMs},${text.slice(1)}`)) !== true) return false
      const command = stamped(found.parsed, timeMs)
      const decoded = decodeCommand(entry)
      // Of equal texts the order of the names is the same as well, and -0 is told from 0.
      return same(command, decoded)
    }),
    { numRuns: 1000 },
  )
  t.ok(read > 500, `${read} proposals were taken`)
})

/** Deeply: own properties in the same order, prototypes, and -0. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null)
    return Object.is(a, b)
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  const [as, bs] = [Object.entries(a), Object.entries(b)]
  return (
    as.length === bs.length &&
    as.every(([name, value], at) => name === bs[at]?.[0] && same(value, bs[at]?.[1]))
  )
}

t.test('bytes that are not UTF-8 are the same for who parses them before and after', async () => {
  const proposal = JSON.stringify({
    version: 1,
    requestId: 'r',
    actor: 'a',
    cause: 'CAUSE',
    body: { kind: 'deregister', nodeName: 'n1' },
  })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (cause) => {
      const [head, tail] = proposal.split('CAUSE')
      const bytes = Buffer.concat([Buffer.from(head ?? ''), cause, Buffer.from(tail ?? '')])
      const found = readProposal(bytes)
      if (found.fault !== undefined) return found.fault === 'it is not JSON'
      const [entry] = stampAll([bytes], 5)
      return same(stamped(found.parsed, 5), decodeCommand(entry ?? bytes))
    }),
    { numRuns: 1000 },
  )
})

t.test('what is not a proposal is told from what is one', async (t) => {
  const cases: [string, string][] = [
    ['', 'it is not a proposal'],
    [' {}', 'it is not a proposal'],
    ['\ufeff{}', 'it is not a proposal'],
    ['[]', 'it is not a proposal'],
    ['{', 'it is not JSON'],
    ['{}{}', 'it is not JSON'],
    ['{}', 'its version is undefined'],
    ['{"version":1,"timeMs":1}', 'it contains a time, which only the leader may set'],
    [
      '{"version":1,"__proto__":{"body":{"kind":"deregister"}}}',
      'it has the unknown kind undefined',
    ],
  ]
  for (const [text, fault] of cases) {
    t.strictSame(readProposal(Buffer.from(text)), { fault }, text)
  }
})

t.test('proposals are packed and unpacked, byte for byte', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (all) => {
      const bytes = all.map((text) => Buffer.from(text))
      const packed = packTexts(all)
      t.equal(packed.byteLength, packed.buffer.byteLength, 'in memory of its own')
      const equal = (found: readonly Buffer[] | undefined): boolean =>
        found?.length === all.length && found.every((one, at) => one.equals(bytes[at] ?? one))
      return equal(unpackProposals(packed)) && equal(unpackProposals(packProposals(bytes)))
    }),
  )
})

t.test('no other bytes are taken for packed proposals', async (t) => {
  const packed = packProposals([Buffer.from('one'), Buffer.from('two')])
  for (let length = 0; length < packed.length; length++) {
    t.equal(unpackProposals(packed.subarray(0, length)), undefined, `cut to ${length}`)
  }
  t.equal(unpackProposals(Buffer.concat([packed, Buffer.from('x')])), undefined)
  t.equal(unpackProposals(Buffer.from('["{}"]')), undefined, 'an older release sends JSON')
  t.equal(unpackProposals(Buffer.from('ffffffffffffffff', 'hex')), undefined)
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      unpackProposals(bytes)
      return true
    }),
  )
})

t.test('an entry of another term, or that a snapshot brought, is not the one parsed', async (t) => {
  const command = (requestId: string) =>
    stamped(parseProposal(Buffer.from(JSON.stringify({ requestId }))), 1)
  const parsed = new ParsedCommands()
  parsed.note(5, 1, command('a'))
  parsed.note(6, 1, command('b'))
  t.match(parsed.take(5, 1), { requestId: 'a', timeMs: 1 })
  t.equal(parsed.take(5, 1), undefined, 'once')
  t.equal(parsed.take(6, 2), undefined, 'another leader has cut it')
  t.equal(parsed.size, 0)
  parsed.note(7, 3, command('c'))
  parsed.note(7, 4, command('d'))
  t.match(parsed.take(7, 4), { requestId: 'd' })
  parsed.note(8, 4, command('e'))
  parsed.note(9, 4, command('f'))
  parsed.dropTo(8)
  t.equal(parsed.take(8, 4), undefined)
  t.match(parsed.take(9, 4), { requestId: 'f' })
})

t.test('a leader whose quorum is slow keeps a bounded number of them', async (t) => {
  const parsed = new ParsedCommands()
  const command = stamped({ requestId: 'x' } as unknown as Proposal, 1)
  for (let index = 1; index <= 10_000; index++) parsed.note(index, 1, command)
  t.equal(parsed.size, 4096)
  t.equal(parsed.take(1, 1), undefined)
  t.ok(parsed.take(10_000, 1))
})

/** Whatever changes it throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}

t.test('applying a command does not change it, and gives what its entry gives', async (t) => {
  const bodies: readonly CommandBody[] = [
    ...Array.from(
      { length: 20 },
      (_, at) => must(registration(at + 1).command?.body) as CommandBody,
    ),
    registerCommand('n1', { node: nodeDefinition('n1', { id: 'a', meta: { b: 'c' } }) }),
    registerCommand('N1', { service: serviceDefinition('web', { id: 'web-1', tags: [] }) }),
    registerCommand('other', { node: nodeDefinition('other', { id: 'a' }) }),
    update('other', 'service:web-1', 'critical'),
    update('n2', 'none', 'critical'),
    { kind: 'deregister', nodeName: 'n3' },
    { kind: 'deregister', nodeName: 'n4', serviceId: 'web-4' },
    { kind: 'deregister', nodeName: 'n5', checkId: 'service:web-5' },
  ]
  const proposals = bodies.map((body, at) => {
    // Each fifth request is asked for twice.
    const requestId = `r${at % 5 === 0 ? at : at - 1}`
    return Buffer.from(
      JSON.stringify({ version: 1, requestId, actor: 'a', cause: 'c', body } satisfies Proposal),
    )
  })
  const applied = (isParsed: boolean) => {
    const state = new StateWriter(join(t.testdir(), `${isParsed}.db`))
    const outcomes: (Outcome | undefined)[] = []
    const machine = new CatalogStateMachine({
      state,
      versions: openVersions(),
      snapshotPath: () => '',
      takeParsed: (index) => {
        const proposal = proposals[index - 1]
        if (!isParsed || proposal === undefined) return undefined
        return frozen(stamped(parseProposal(proposal), index * 1000))
      },
      onApplied: (_index, _term, outcome) => outcomes.push(outcome),
      onRestored: () => {},
    })
    for (const [at, proposal] of proposals.entries()) {
      const index = at + 1
      // Without its data, nothing but the parsed command can be applied.
      const [data] = isParsed ? [Buffer.alloc(0)] : stampAll([proposal], index * 1000)
      machine.apply([{ index, term: 1, kind: 'command', data: must(data) }])
    }
    const hash = state.stateHash()
    state.close()
    return { hash, outcomes }
  }
  const parsed = applied(true)
  t.strictSame(parsed, applied(false))
  t.ok(parsed.outcomes.some((outcome) => outcome?.ok === false))
})

function update(nodeName: string, checkId: string, status: 'critical'): CommandBody {
  return { kind: 'update-check', nodeName, checkId, status, output: 'x' }
}
