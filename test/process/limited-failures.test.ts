import t from 'tap'
import { limitFailures } from '../../src/process/limited-failures.ts'

t.test(
  'of questions that fail one a second is passed on, with the number of the others',
  async (t) => {
    let nowMs = 0
    const said: unknown[] = []
    const failures = limitFailures(
      {
        onError: (error, packet, unsaid) => said.push([error, packet.length, unsaid]),
        onSuspicion: (reason) => said.push(reason),
      },
      () => nowMs,
    )
    const packet = new Uint8Array(3)
    const fail = (text: string): void => {
      failures.onError(text, packet)
      failures.onSuspicion(text)
    }
    for (let n = 0; n < 1000; n++) fail('one')
    t.strictSame(said.splice(0), [['one', 3, 0], 'one'])
    nowMs = 999
    fail('two')
    t.strictSame(said.splice(0), [])
    nowMs = 1000
    fail('three')
    t.strictSame(said.splice(0), [['three', 3, 1000], 'three'])
    nowMs = 2500
    fail('four')
    t.strictSame(said.splice(0), [['four', 3, 0], 'four'])
  },
)
