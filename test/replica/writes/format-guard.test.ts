import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { formatOf, stateVersion } from '../../../src/state/families.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import type { Proposal } from '../../../src/state/machine/command.ts'
import { MemberFormats } from '../../../src/replica/duties/member-formats.ts'
import { formatRefusal } from '../../../src/replica/writes/format-guard.ts'

/** A leader with two other members; the commands of kv came with format 7. */
function world() {
  const formats = new MemberFormats()
  const found = { reads: 0 }
  const refused = (kind: string) => {
    const read = () => {
      found.reads++
      return { body: { kind } } as unknown as Proposal
    }
    return formatRefusal(read, formats, (id) => `server ${id}`)
  }
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
  formats.note('n3', 99)
  t.equal(refused('kv-put'), undefined)
})

t.test('no proposal is read while all members are of this release', async (t) => {
  const { formats, found, refused } = world()
  formats.note('n2', stateVersion)
  formats.note('n3', stateVersion)
  t.equal(refused('kv-put'), undefined)
  t.equal(found.reads, 0)
})

t.test('a batch needs the format of the newest command in it', async (t) => {
  const put = { kind: 'kv-put', key: 'a', value: '', flags: '0' } as const
  const gone = { kind: 'deregister', nodeName: 'n1' } as const
  const batch: CommandBody = { kind: 'batch', bodies: [gone, put] }
  t.equal(formatOf(gone), 1)
  t.equal(formatOf(put), 7)
  t.equal(formatOf(batch), 7)
})
