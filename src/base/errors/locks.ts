/** Rows of the error table: what `svcd lock` and its library fail with. */
export const lockErrors = {
  'lock-conflict': {
    http: 409,
    exit: 1,
    text: 'The key {key} exists, and it is not a {what}. Choose another prefix, or delete the key.',
  },
  'semaphore-limit': {
    http: 409,
    exit: 1,
    text: 'The semaphore {key} has {limit} places, not {asked}. All programs must use the same number.',
  },
  'semaphore-invalid': {
    http: 500,
    exit: 1,
    text: 'The value of the key {key} is not that of a semaphore: {reason}. Choose another prefix, or delete the key.',
  },
  'lock-session-lost': {
    http: 500,
    exit: 1,
    text: 'The session that waited for the lock {key} is lost: {reason}. Run the command again.',
  },
  'lock-timeout': {
    http: 500,
    exit: 1,
    text: 'Did not get the lock {key} within {timeout}. The command was not run.',
  },
  'lock-interrupted': {
    http: 500,
    exit: 1,
    text: 'Interrupted while waiting for the lock {key}. The command was not run.',
  },
  'lock-lost': {
    http: 500,
    exit: 1,
    text: 'Lost the lock {key}: {reason}. The command was stopped.',
  },
  'no-such-session': {
    http: 404,
    exit: 1,
    text: 'There is no session {id}. It has ended, or it never existed. `svcd session list` lists all sessions.',
  },
  'child-not-started': {
    http: 500,
    exit: 1,
    text: 'Cannot run {command}: {reason}.',
  },
  // Consul's exit code for -child-exit-code.
  'child-failed': { http: 500, exit: 2, text: 'The command failed: {reason}.' },
} as const
