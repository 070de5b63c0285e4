import t from 'tap'
import { DnsCookieRotation } from '../../../src/replica/duties/dns-cookie-rotation.ts'
import type { OwnCommand } from '../../../src/replica/duties/duty.ts'
import type { Status } from '../../../src/raft/status.ts'
import { DnsCookieReader } from '../../../src/state/dns-cookie/reader.ts'
import { dnsCookieFormat } from '../../../src/state/dns-cookie/schema.ts'
import { MemoryState } from '../../helpers/memory-state.ts'

const hourMs = 3_600_000

class Rig {
  readonly state = new MemoryState()
  readonly reader = new DnsCookieReader(this.state.db)
  nowMs = 0
  wallMs = 1_800_000_000_000
  usedFormat: number = dnsCookieFormat
  proposed: OwnCommand[] = []
  #secrets = 0
  readonly duty = new DnsCookieRotation({
    dnsCookies: this.reader,
    usedFormat: () => this.usedFormat,
    wallMs: () => this.wallMs,
    newSecret: () => (++this.#secrets).toString(16).padStart(32, '0'),
    propose: (command) => this.proposed.push(command),
  })

  /** Applies what was proposed, at the time of the wall clock. */
  commit(): void {
    for (const command of this.proposed.splice(0)) {
      this.state.apply(command, this.wallMs)
    }
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.wallMs += ms
    this.duty.check({} as Status, this.nowMs)
  }

  get row(): { secret: number; previous: number } {
    const { secret = '', previous = '' } = this.reader.stored() ?? {}
    return { secret: Number(`0x0${secret}`), previous: Number(`0x0${previous}`) }
  }
}

t.test('the leader makes a secret, and a new one every day', async (t) => {
  const rig = new Rig()
  rig.pass(0)
  rig.commit()
  t.strictSame(rig.row, { secret: 1, previous: 0 })
  for (let hour = 0; hour < 24; hour++) rig.pass(hourMs)
  rig.commit()
  t.strictSame(rig.row, { secret: 1, previous: 0 })
  rig.pass(hourMs)
  rig.commit()
  t.strictSame(rig.row, { secret: 2, previous: 1 })
})

t.test('a proposal that got lost is made again, and counts once', async (t) => {
  const rig = new Rig()
  for (const ms of [0, 250, 4749]) rig.pass(ms)
  t.equal(rig.proposed.length, 1)
  rig.pass(1)
  t.equal(rig.proposed.length, 2)
  rig.commit()
  t.strictSame(rig.row, { secret: 1, previous: 0 })
})

t.test('there is no secret while a server with an older format may be a member', async (t) => {
  const rig = new Rig()
  rig.usedFormat = dnsCookieFormat - 1
  rig.pass(0)
  t.equal(rig.proposed.length, 0)
  rig.usedFormat = dnsCookieFormat
  rig.pass(250)
  t.equal(rig.proposed.length, 1)
})

t.test('a secret from a clock that was days ahead is replaced', async (t) => {
  const rig = new Rig()
  rig.wallMs += 48 * hourMs
  rig.pass(0)
  rig.commit()
  rig.wallMs -= 48 * hourMs
  rig.pass(hourMs)
  rig.commit()
  t.strictSame(rig.row, { secret: 2, previous: 1 })
})
