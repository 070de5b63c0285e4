import t from 'tap'
import type { Origin } from '../../src/ports/writes.ts'
import { svcdError } from '../../src/base/errors.ts'
import type { Logger } from '../../src/base/log.ts'
import type { CommandBody } from '../../src/state/families.ts'
import { ChangeLog } from '../../src/agent/change-log.ts'
import { LimitedLines } from '../../src/process/limited-lines.ts'
import type { LineKind } from '../../src/process/limited-lines.ts'
import {
  MemoryCatalog,
  checkDefinition,
  registerCommand,
  serviceDefinition,
} from '../helpers/catalog.ts'
import { must } from '../../src/base/assert.ts'

type Written = readonly [string, string, object]

class Rig {
  readonly written: Written[] = []
  nowMs = 0
  onWritten = (): void => {}
  readonly logger: Logger = {
    debug: (fields, message) => this.#write('debug', message, fields),
    info: (fields, message) => this.#write('info', message, fields),
    warn: (fields, message) => this.#write('warn', message, fields),
    error: (fields, message) => this.#write('error', message, fields),
  }
  readonly lines = new LimitedLines(this.logger, { monotonicMs: () => this.nowMs })

  get messages(): readonly string[] {
    return this.written.map(([, message]) => message)
  }

  #write(level: string, message: string, fields: object): void {
    this.written.push([level, message, fields])
    this.onWritten()
  }
}

const kind: LineKind = { level: 'info', rest: (count, seconds) => `${count} more in ${seconds} s` }
const line = (): { fields: object; message: string } => ({ fields: {}, message: 'one' })

t.test('20 lines in 10 s are written; one more line counts the others', async (t) => {
  const rig = new Rig()
  for (let n = 0; n < 332; n++) rig.lines.write(kind, line)
  t.equal(rig.written.length, 20)
  rig.nowMs = 10_000
  rig.lines.write(kind, line)
  t.strictSame(rig.messages.slice(20), ['312 more in 10 s', 'one'])
})

t.test('the count is written when the 10 s are over, though nothing follows', async (t) => {
  const rig = new Rig()
  for (let n = 0; n < 20; n++) rig.lines.write(kind, line)
  rig.nowMs = 9_999
  const counted = new Promise<void>((resolve) => {
    rig.onWritten = resolve
  })
  rig.lines.write(kind, line)
  // The process is kept alive by nothing else: the line alone must not keep an agent from ending.
  const alive = setTimeout(() => {}, 5000)
  await counted
  clearTimeout(alive)
  t.strictSame(rig.messages.slice(20), ['1 more in 10 s'])
})

t.test('a stop writes what was counted so far, and kinds do not share', async (t) => {
  const rig = new Rig()
  const other: LineKind = { level: 'warn', rest: (count) => `${count} others` }
  for (let n = 0; n < 25; n++) rig.lines.write(kind, line)
  for (let n = 0; n < 22; n++) rig.lines.write(other, line)
  rig.nowMs = 2_000
  rig.lines.flush()
  t.strictSame(rig.written.slice(40), [
    ['info', '5 more in 2 s', {}],
    ['warn', '2 others', {}],
  ])
})

t.test(
  'what is not worth a line takes none of the 20, and is not looked at for ever',
  async (t) => {
    const rig = new Rig()
    let looked = 0
    for (let n = 0; n < 500; n++) {
      rig.lines.write(kind, () => {
        looked++
        return undefined
      })
    }
    t.equal(looked, 200)
    rig.lines.flush()
    t.strictSame(rig.messages, ['300 more in 1 s'])
  },
)

const byHttp: Origin = { actor: 'http 10.0.0.9', cause: 'test' }
const byCli: Origin = { ...byHttp, client: 'svcd/0.1.0' }

/** A catalog whose changes are logged as a node does it. */
function loggedCatalog() {
  const rig = new Rig()
  const catalog = new MemoryCatalog()
  const { lines, logger } = rig
  const log = new ChangeLog({ lines, logger, read: (query) => query(catalog.reader) })
  const change = async (body: CommandBody, origin = byHttp): Promise<readonly Written[]> => {
    rig.written.splice(0)
    await log.around(body, origin, () => Promise.resolve(must(catalog.apply(body).outcomes[0])))
    return [...rig.written]
  }
  return { rig, log, change }
}

const web = (port: number): CommandBody =>
  registerCommand('n1', { service: serviceDefinition('web', { id: 'web-1', port }) })

t.test('a registration has one line, with what it is and who asked', async (t) => {
  const { change } = loggedCatalog()
  t.strictSame(await change(web(80), byCli), [
    [
      'info',
      'service registered',
      { service: 'web', id: 'web-1', node: 'n1', port: 80, by: '10.0.0.9', client: 'svcd/0.1.0' },
    ],
  ])
  t.strictSame(await change(web(80)), [], 'the same again changes nothing')
  t.match(await change(web(81)), [['info', 'service changed', { port: 81 }]])
  const check = checkDefinition('c1', { serviceId: 'web-1', status: 'critical' })
  t.match(await change(registerCommand('n1', { node: undefined, checks: [check] })), [
    ['info', 'check registered', { check: 'c1', service: 'web-1', by: '10.0.0.9' }],
  ])
  t.match(await change(registerCommand('n2')), [
    ['info', 'node registered', { node: 'n2', address: '10.0.0.1' }],
  ])
})

t.test('a deregistration has one line, when there was something', async (t) => {
  const { change } = loggedCatalog()
  await change(web(80))
  const gone = { kind: 'deregister', nodeName: 'n1', serviceId: 'web-1' } as const
  t.strictSame(await change(gone), [
    ['info', 'service deregistered', { id: 'web-1', node: 'n1', by: '10.0.0.9' }],
  ])
  t.strictSame(await change(gone), [])
  t.match(await change({ kind: 'deregister', nodeName: 'n1' }), [
    ['info', 'node deregistered', { node: 'n1' }],
  ])
})

t.test('maintenance says on what, why, and when it ends', async (t) => {
  const { change } = loggedCatalog()
  await change(web(80))
  const id = '_service_maintenance:web-1'
  const check = checkDefinition(id, { serviceId: 'web-1', status: 'critical', notes: 'new disk' })
  t.strictSame(await change(registerCommand('n1', { node: undefined, checks: [check] }), byCli), [
    [
      'info',
      'maintenance mode enabled',
      {
        node: 'n1',
        service: 'web-1',
        reason: 'new disk',
        by: '10.0.0.9',
        client: 'svcd/0.1.0',
      },
    ],
  ])
  t.match(await change({ kind: 'deregister', nodeName: 'n1', checkId: id }), [
    ['info', 'maintenance mode disabled', { node: 'n1', service: 'web-1' }],
  ])
})

t.test('a line that cannot be made does not fail the write', async (t) => {
  const rig = new Rig()
  const read = (): never => {
    throw svcdError('state-damaged', { reason: 'a page' })
  }
  const log = new ChangeLog({ lines: rig.lines, logger: rig.logger, read })
  const outcome = await log.around(web(80), byHttp, () => Promise.resolve({ ok: true, index: 3 }))
  t.strictSame(outcome, { ok: true, index: 3 })
  t.match(rig.written, [['debug', 'cannot look up a change', {}]])
})
