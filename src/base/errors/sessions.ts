/**
 * Rows of the error table: sessions and locks, in Consul's words and with Consul's status.
 */
export const sessionErrors = {
  'session-ttl-invalid': {
    http: 500,
    exit: 1,
    text: "Session TTL '{ttl}' invalid: time: {reason}",
  },
  'session-ttl-out-of-range': {
    http: 500,
    exit: 1,
    text: "Invalid Session TTL '{ns}', must be between [10s=24h0m0s]",
  },
  'session-behavior-invalid': {
    http: 500,
    exit: 1,
    text: "Invalid Behavior setting '{behavior}'. Use release or delete.",
  },
  'session-without-node': { http: 500, exit: 1, text: 'Must provide Node' },
  'session-node-unknown': {
    http: 500,
    exit: 1,
    text: 'Missing node registration: there is no node "{node}".',
  },
  'session-check-unknown': {
    http: 500,
    exit: 1,
    text: 'Missing check \'{id}\' registration on node "{node}". Use NodeChecks [] for a session without checks.',
  },
  'session-check-critical': {
    http: 500,
    exit: 1,
    text: "Check '{id}' is in critical state",
  },
  'session-id-invalid': {
    http: 500,
    exit: 1,
    text: 'failed session lookup: index error: UUID must be 36 characters. "{id}" is not the ID of a session.',
  },
  'session-not-found': {
    http: 404,
    exit: 1,
    text: "Session id '{id}' not found",
  },
  'lock-without-session': {
    http: 500,
    exit: 1,
    text: 'missing session. Set ?{name} to the ID of a session.',
  },
  'lock-session-unknown': {
    http: 500,
    exit: 1,
    text: 'invalid session "{id}". The session has ended, or it never existed. Create another one.',
  },
} as const
