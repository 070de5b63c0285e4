import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { formatOf } from '../../../src/state/families.ts'
import type { Proposal } from '../../../src/state/machine/command.ts'
import { MemberFormats } from '../../../src/replica/duties/member-formats.ts'
import { FormatGuard } from '../../../src/replica/writes/format-guard.ts'

/** A leader of format 7 with two members, and commands that came with formats 1 and 7. */
function world() {
  const formats = new MemberFormats()
  const found = { reads: 0 }
  const guard = new FormatGuard({
    ownFormat: 7,
    below: (format) => formats.below(format, ['n2', 'n3']),
    since: ({ kind }: { readonly kind: string }) => (kind === 'kv-put' ? 7 : 1),
    nameOf: (id) => `server ${id}`,
  })
  const refused = (kind: string) =>
    guard.refusal(() => {
      found.reads++
      return { body: { kind } } as unknown as Proposal
    })
  return { formats, found, refused }
}

t.test('a command is refused while a member has an older release', async (t) => {
  const { formats, refused } = world()
  t.equal(refused('kv-put'), undefined, 'a server that is down keeps no write from being made')
  formats.note('n2', 7)
  formats.note('n3', 6)
  t.equal(refused('register'), undefined, 'what all know is taken')
  const { code, message } = must(refused('kv-put'))
  t.equal(code, 'release-too-old')
  t.match(message, /"kv-put" needs state format 7.*: server n3\. .*Nothing was changed/)
  formats.note('n3', 8)
  t.equal(refused('kv-put'), undefined)
})

t.test('no proposal is read while all members are of this release', async (t) => {
  const { formats, found, refused } = world()
  formats.note('n2', 7)
  formats.note('n3', 7)
  t.equal(refused('kv-put'), undefined)
  t.equal(found.reads, 0)
})

t.test('a batch needs the format of the newest command in it', async (t) => {
  const put = { kind: 'kv-put', key: 'a', value: '', flags: '0' } as const
  const gone = { kind: 'deregister', nodeName: 'n1' } as const
  t.equal(formatOf(gone), 1)
  t.equal(formatOf(put), 7)
  t.equal(formatOf({ kind: 'batch', bodies: [gone, put] }), 7)
})
