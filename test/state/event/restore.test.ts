import t from 'tap'
import { restoreEvents } from '../../../src/state/event/restore.ts'
import { fireEvent, MemoryEvents } from '../../helpers/events.ts'

function fired(from: number, to: number, rest: object = {}): MemoryEvents {
  const events = new MemoryEvents()
  for (let number = from; number <= to; number++) {
    events.apply(fireEvent(number, `e${number}`, rest))
  }
  return events
}

function restore(from: MemoryEvents, to: MemoryEvents): void {
  for (const bodies of restoreEvents(from.reader, to.reader)) {
    for (const body of bodies ?? []) to.apply(body)
  }
}

t.test('a restore brings all events back to a new cluster, with their IDs and times', async (t) => {
  const archived = fired(1, 300, { payload: 'aGk=', nodes: ['n1'], nodeFilter: 'n1' })
  const present = new MemoryEvents()
  restore(archived, present)
  const seen = ({ reader }: MemoryEvents) =>
    reader.all().map((event) => ({ ...event, payload: [...event.payload] }))
  t.strictSame(seen(present), seen(archived))
  t.equal(present.reader.lastTime(), 300)
})

t.test(
  'a restore brings no event back that was fired here before, and takes none away',
  async (t) => {
    const archived = fired(1, 10)
    const present = fired(1, 12)
    const before = present.list()
    restore(archived, present)
    t.strictSame(present.list(), before)
    // An archive of a moment after which nothing was fired here.
    restore(fired(1, 14), present)
    t.strictSame(present.list(), [...before, ['e13', 13], ['e14', 14]])
  },
)
