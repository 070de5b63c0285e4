import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import type { Proposal } from '../../../src/state/machine/command.ts'
import { MemberFormats } from '../../../src/replica/duties/member-formats.ts'
import { FormatGuard } from '../../../src/replica/writes/format-guard.ts'

/** A leader of format 7 with two members, and commands that came with formats 1 and 7. */
function world() {
  const formats = new MemberFormats()
  const found = { used: 6, reads: 0 }
  const guard = new FormatGuard({
    ownFormat: 7,
    usedFormat: () => found.used,
    below: (format) => formats.below(format, ['n2', 'n3']),
    since: ({ kind }: { readonly kind: string }) => (kind === 'kv-set' ? 7 : 1),
    nameOf: (id) => `server ${id}`,
  })
  const refused = (kind: string) =>
    guard.refusal(() => {
      found.reads++
      return { body: { kind } } as unknown as Proposal
    })
  return { formats, found, refused }
}

t.test('a command is refused until every member has reported its format', async (t) => {
  const { formats, refused } = world()
  formats.note('n2', 7)
  formats.note('n3', 6)
  t.equal(refused('register'), undefined, 'what all know is taken')
  const { code, message } = must(refused('kv-set'))
  t.equal(code, 'release-too-old')
  t.match(message, /"kv-set" needs state format 7.*: server n3\. .*Nothing was changed/)
  formats.keep(['n2'])
  t.match(refused('kv-set')?.message, /server n3/, 'a member that has reported nothing')
  formats.note('n3', 8)
  t.equal(refused('kv-set'), undefined)
})

t.test('a format that is in use stays in use, whoever leads and whoever is down', async (t) => {
  const { found, refused } = world()
  t.match(refused('kv-set')?.message, /server n2, server n3/)
  found.used = 7
  t.equal(refused('kv-set'), undefined)
})

t.test('no proposal is read while all members are of this release', async (t) => {
  const { formats, found, refused } = world()
  formats.note('n2', 7)
  formats.note('n3', 7)
  t.equal(refused('kv-set'), undefined)
  t.equal(found.reads, 0)
})
