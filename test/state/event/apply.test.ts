import t from 'tap'
import { proposalFault } from '../../../src/state/families.ts'
import { eventId, fireEvent, MemoryEvents } from '../../helpers/events.ts'

t.test('events are kept in the order in which they were fired', async (t) => {
  const events = new MemoryEvents()
  t.equal(events.reader.lastTime(), 0)
  events.apply(fireEvent(2, 'b', { payload: 'aGk=', nodes: ['n1'], nodeFilter: 'n' }))
  events.apply(fireEvent(1, 'a'))
  t.strictSame(events.list(), [
    ['b', 1],
    ['a', 2],
  ])
  t.equal(events.reader.lastTime(), 2)
  const event = events.reader.withId(eventId(2))
  t.match(event, { name: 'b', nodeFilter: 'n', nodes: ['n1'], serviceFilter: '', tagFilter: '' })
  t.equal(Buffer.from(event?.payload ?? '').toString(), 'hi')
  t.equal(events.reader.withId(eventId(1))?.nodes, undefined)
  t.equal(events.reader.withId(eventId(3)), undefined)
})

t.test('an event moves the subject of its name and that of all', async (t) => {
  const events = new MemoryEvents()
  t.strictSame([...events.apply(fireEvent(1, 'a'))].toSorted(), ['all', 'name:a'])
  t.strictSame([...events.apply(fireEvent(1, 'a'))], [], 'one that is there already')
  t.strictSame(events.list(), [['a', 1]])
})

t.test('the last 256 events are kept, and the sums are those of the rows', async (t) => {
  const events = new MemoryEvents()
  for (let number = 1; number <= 600; number++) events.apply(fireEvent(number))
  const times = events.list().map(([, ltime]) => ltime)
  t.strictSame(
    times,
    Array.from({ length: 256 }, (_, at) => 345 + at),
  )
  const [kept, scanned] = events.sums()
  t.equal(kept, scanned)
  // Forgotten, so it is another one: but its time is later than all before.
  events.apply(fireEvent(1))
  t.equal(events.reader.lastTime(), 601)
})

t.test(
  'an event that comes back from an archive keeps its time, if that is the latest',
  async (t) => {
    const events = new MemoryEvents()
    events.apply(fireEvent(1, 'old', { ltime: 40 }))
    events.apply(fireEvent(2, 'older', { ltime: 39 }))
    events.apply(fireEvent(3, 'same', { ltime: 40 }))
    events.apply(fireEvent(4, 'new'))
    t.strictSame(events.list(), [
      ['old', 40],
      ['new', 41],
    ])
  },
)

t.test('a command that would break a bound never reaches the log', async (t) => {
  const origin = { version: 1, requestId: 'r1', actor: 'test', cause: 'test' } as const
  const fault = (rest: object): string | undefined =>
    proposalFault({ ...origin, body: { ...fireEvent(1), ...rest } })
  const base64 = (size: number): string => Buffer.alloc(size, 'a').toString('base64')
  t.equal(fault({}), undefined)
  t.equal(fault({ payload: base64(4096), name: 'n'.repeat(256) }), undefined)
  t.equal(fault({ nodes: [], ltime: 1, nodeFilter: 'x'.repeat(512) }), undefined)
  const wrong: readonly object[] = [
    { payload: base64(4097) },
    { payload: undefined },
    { name: '' },
    { name: 'é'.repeat(129) },
    { id: 'x' },
    { nodeFilter: 'x'.repeat(513) },
    { serviceFilter: undefined },
    { tagFilter: 1 },
    { nodes: [1] },
    { ltime: 0 },
    { ltime: 1.5 },
  ]
  for (const rest of wrong) {
    t.equal(fault(rest), 'it is a malformed event-fire', JSON.stringify(rest).slice(0, 80))
  }
})
