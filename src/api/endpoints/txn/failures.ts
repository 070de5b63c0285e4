import { svcdError } from '../../../base/errors.ts'
import type { SvcdError } from '../../../base/errors.ts'
import { goQuoted } from '../../../base/go-quoted.ts'
import type { TxnOp } from '../../../state/txn/commands.ts'
import { readCharsMax } from '../../../state/txn/outcome.ts'
import type { Reason } from '../../../state/txn/outcome.ts'

/** The error of an operation that failed, in Consul's words. */
export function failureOf(op: TxnOp, reason: Reason): SvcdError {
  const what = subjectOf(op)
  switch (reason.why) {
    case 'stale':
      return svcdError(op.verb.startsWith('delete') ? 'txn-delete-stale' : 'txn-set-stale', {
        what,
      })
    case 'not-there':
      return svcdError(notThere(op), { what })
    case 'there':
      return svcdError('txn-there', { what })
    case 'other-index': {
      const asked = op.verb === 'check-index' ? op.index : ''
      return svcdError('txn-other-index', { what, now: reason.index, asked })
    }
    case 'other-session': {
      const asked = op.verb === 'check-session' ? op.session : ''
      const now = goQuoted(reason.session)
      return svcdError('txn-other-session', { what, now, asked: goQuoted(asked) })
    }
    case 'no-session':
      return svcdError('txn-missing-session', {})
    case 'unknown-session':
      return svcdError('txn-unknown-session', { session: goQuoted(sessionOf(op)) })
    case 'held':
      return svcdError('txn-lock-held', { what })
    case 'lock-delay':
      return svcdError('txn-lock-delay', { what })
    case 'not-held':
      return svcdError('txn-lock-not-held', { what })
    case 'unknown-node':
      return svcdError('txn-unknown-node', { node: goQuoted(nodeOf(op)) })
    case 'unknown-service': {
      const id = goQuoted(op.verb === 'set-check' ? op.definition.serviceId : '')
      return svcdError('txn-unknown-service', { node: goQuoted(nodeOf(op)), id })
    }
    case 'name-taken':
      return svcdError('node-name-taken', { ...reason, name: nodeOf(op) })
    case 'too-large':
      return svcdError('txn-reads-too-large', { max: readCharsMax })
  }
}

function notThere({ verb }: TxnOp): 'txn-no-index' | 'txn-no-lock' | 'txn-not-there' {
  if (verb === 'check-index') return 'txn-no-index'
  return verb === 'check-session' ? 'txn-no-lock' : 'txn-not-there'
}

/** What an operation is about: `key "a"`, `service "web" on node "n1"`. */
function subjectOf(op: TxnOp): string {
  if ('key' in op) return `key ${goQuoted(op.key)}`
  const onNode = `on node ${goQuoted(nodeOf(op))}`
  switch (op.verb) {
    case 'get-service':
    case 'delete-service':
      return `service ${goQuoted(op.id)} ${onNode}`
    case 'set-service':
      return `service ${goQuoted(op.definition.id)} ${onNode}`
    case 'get-check':
    case 'delete-check':
      return `check ${goQuoted(op.id)} ${onNode}`
    case 'set-check':
      return `check ${goQuoted(op.definition.checkId)} ${onNode}`
    case 'get-node':
    case 'set-node':
    case 'delete-node':
      return `node ${goQuoted(nodeOf(op))}`
  }
}

function nodeOf(op: TxnOp): string {
  if ('key' in op) return ''
  return op.verb === 'set-node' ? op.definition.name : op.node
}

function sessionOf(op: TxnOp): string {
  return 'session' in op ? op.session : ''
}
