/**
 * Rows of the error table: transactions. Most are not the answer to a request: they stand in its list of
 * errors, in Consul's words, and the status of that answer is 409.
 */
export const txnErrors = {
  'txn-unreadable': { http: 400, exit: 1, text: 'Failed to parse body: {reason}' },
  'txn-too-many-operations': {
    http: 413,
    exit: 1,
    text: 'Transaction contains too many operations ({count} > {max}). Split it into several transactions.',
  },
  'txn-results-forgotten': {
    http: 500,
    exit: 1,
    text: 'The transaction was done, at index {index}, but its results are not known any more. Read the keys again.',
  },
  'txn-unknown-verb': { http: 409, exit: 1, text: 'unknown {what} verb {verb}' },
  'txn-missing-key': { http: 409, exit: 1, text: 'Must provide key' },
  'txn-set-stale': { http: 409, exit: 1, text: 'failed to set {what}, index is stale' },
  'txn-delete-stale': { http: 409, exit: 1, text: 'failed to delete {what}, index is stale' },
  'txn-not-there': { http: 409, exit: 1, text: "{what} doesn't exist" },
  'txn-there': { http: 409, exit: 1, text: '{what} exists' },
  'txn-no-index': { http: 409, exit: 1, text: "failed to check index, {what} doesn't exist" },
  'txn-other-index': {
    http: 409,
    exit: 1,
    text: 'failed index check for {what}, current modify index {now} != {asked}',
  },
  'txn-no-lock': { http: 409, exit: 1, text: "failed to check session, {what} doesn't exist" },
  'txn-other-session': {
    http: 409,
    exit: 1,
    text: 'failed session check for {what}, current session {now} != {asked}',
  },
  'txn-missing-session': { http: 409, exit: 1, text: 'missing session' },
  'txn-unknown-session': { http: 409, exit: 1, text: 'invalid session {session}' },
  'txn-lock-held': {
    http: 409,
    exit: 1,
    text: 'failed to lock {what}, lock is already held',
  },
  'txn-lock-delay': { http: 409, exit: 1, text: 'failed to lock {what} due to lock delay' },
  'txn-lock-not-held': {
    http: 409,
    exit: 1,
    text: "failed to unlock {what}, lock isn't held, or is held by another session",
  },
  'txn-unknown-node': {
    http: 409,
    exit: 1,
    text: 'Missing node registration: there is no node {node}. Register it first, or earlier in the same transaction.',
  },
  'txn-unknown-service': {
    http: 409,
    exit: 1,
    text: 'Missing service registration: node {node} has no service with the ID {id}. Register it first, or earlier in the same transaction.',
  },
  'txn-reads-too-large': {
    http: 409,
    exit: 1,
    text: 'What the transaction reads is larger than {max} bytes. Read it in a transaction that changes nothing.',
  },
} as const
