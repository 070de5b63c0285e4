import { must } from '../../src/base/assert.ts'
import type { RegisterCommand } from '../../src/state/catalog/commands.ts'
import type { CheckDefinition, Status } from '../../src/state/catalog/model.ts'
import type { FamilyBody } from '../../src/state/families.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { SessionCreateCommand } from '../../src/state/session/commands.ts'
import { SessionReader } from '../../src/state/session/reader.ts'
import { MemoryKv } from './kv.ts'

/** A command that makes a session without checks. */
export function sessionCreate(
  id: string,
  rest: Partial<SessionCreateCommand> = {},
): SessionCreateCommand {
  return {
    kind: 'session-create',
    id,
    node: 'n1',
    name: '',
    lockDelayNs: 15e9,
    behavior: 'release',
    ttl: '',
    ttlMs: 0,
    nodeChecks: [],
    serviceChecks: null,
    ...rest,
  }
}

/** A command that registers a node with checks. */
export function registerNode(
  nodeName: string,
  checks: Readonly<Record<string, Status>> = {},
): RegisterCommand {
  const node = { name: nodeName, id: '', address: '127.0.0.1', taggedAddresses: {}, meta: {} }
  const rows = Object.entries(checks).map(([checkId, status]) => check(checkId, status))
  return { kind: 'register', nodeName, node, checks: rows, replaceChecks: false }
}

function check(checkId: string, status: Status): CheckDefinition {
  const none = { notes: '', output: '', serviceId: '', type: '', interval: '', timeout: '' }
  return { checkId, name: checkId, status, ...none, definition: {} }
}

/** Sessions and keys in memory, with the node `n1`. */
export class MemorySessions extends MemoryKv {
  readonly sessions = new SessionReader(this.db)

  constructor() {
    super()
    this.applyAll(registerNode('n1', { serfHealth: 'passing', disk: 'passing' }))
  }

  outcome(body: FamilyBody): Outcome {
    return must(this.applyAll(body).outcomes[0])
  }

  /** The value of the outcome; undefined when all was done. */
  acquire(key: string, session: string, value = 'v', flags = '0'): unknown {
    const bytes = Buffer.from(value).toString('base64')
    const outcome = this.outcome({ kind: 'kv-acquire', key, value: bytes, flags, session })
    return outcome.ok ? outcome.value : outcome.error
  }

  release(key: string, session: string, value = 'v', flags = '0'): unknown {
    const bytes = Buffer.from(value).toString('base64')
    const outcome = this.outcome({ kind: 'kv-release', key, value: bytes, flags, session })
    return outcome.ok ? outcome.value : outcome.error
  }

  /** The IDs of all sessions. */
  get ids(): readonly string[] {
    return [...this.sessions.sessions()].map(({ id }) => id)
  }
}
