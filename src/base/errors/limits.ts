/** Rows of the error table: requests that are refused for now. */
export const limitErrors = {
  'audit-unwritable': {
    http: 503,
    exit: 1,
    text: 'The audit log of this server cannot be written ({reason}), and this server refuses changes without it. Make its file writable, or ask another server.',
  },
  'too-many-writes': {
    http: 429,
    exit: 1,
    text: 'Too many changes from {who}: at most {rate} per second are allowed here, {burst} at a time. Send it again in {seconds} s.',
  },
  'too-many-wrong-tokens': {
    http: 429,
    exit: 1,
    text: 'Too many requests with unknown tokens from {who}. Send a valid token, or wait {seconds} s.',
  },
  'too-many-waiting': {
    http: 429,
    exit: 1,
    text: 'Too many blocking queries and streams from {who}: at most {max} are allowed at a time. End one of them, or raise limits.http_max_waiting_per_client.',
  },
  'too-many-long-answers': {
    http: 429,
    exit: 1,
    text: 'Too many long answers at the same time for {who}: at most {max} are made at a time. Send it again in 1 s, ask for less with ?filter=, or raise limits.http_max_long_answers_per_client.',
  },
  'field-too-large': {
    http: 400,
    exit: 1,
    text: 'Invalid {field}: it has {size} {unit}, and at most {max} are allowed.',
  },
} as const
