import t from 'tap'
import { FormatUse } from '../../../src/replica/duties/format-use.ts'
import { MemberFormats } from '../../../src/replica/duties/member-formats.ts'
import type { Status } from '../../../src/raft/status.ts'

/** The leader s1 of format 8, with the voter s2 and the learner s3. */
function world() {
  const formats = new MemberFormats()
  const found = { used: 0, proposed: [] as unknown[] }
  const duty = new FormatUse({
    format: 8,
    usedFormat: () => found.used,
    formats,
    propose: (command) => found.proposed.push(command),
  })
  const config = {
    voters: ['s1', 's2'],
    votersOutgoing: [],
    learners: ['s3'],
    addresses: {},
    prevConfIndex: 0,
  }
  const check = (nowMs: number): number => {
    duty.check({ id: 's1', config } as unknown as Status, nowMs)
    return found.proposed.length
  }
  return { formats, found, duty, check }
}

t.test('a format is taken into use when all members have it, learners as well', async (t) => {
  const { formats, found, check } = world()
  t.equal(check(0), 0, 'nobody has said what it has')
  formats.note('s2', 8)
  t.equal(check(1), 0)
  formats.note('s3', 7)
  t.equal(check(2), 0)
  formats.note('s3', 8)
  t.equal(check(3), 1)
  t.strictSame(found.proposed, [{ kind: 'use-format', format: 8 }])
  found.used = 8
  t.equal(check(10_000), 1, 'once')
})

t.test('a proposal that got lost is repeated, by the next leader at once', async (t) => {
  const { formats, check, duty } = world()
  formats.note('s2', 9)
  formats.note('s3', 8)
  t.equal(check(0), 1)
  t.equal(check(4999), 1)
  t.equal(check(5000), 2)
  duty.ended()
  t.equal(check(5001), 3)
})

t.test('a format in use needs no word of a member that is down', async (t) => {
  const { found, check } = world()
  found.used = 8
  t.equal(check(0), 0)
})
