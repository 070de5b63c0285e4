/**
 * Rows of the error table: user events, and watches with a handler. What the endpoints refuse has Consul's words.
 */
export const eventErrors = {
  'invalid-event-name': { http: 400, exit: 1, text: 'Invalid event name "{name}": {reason}.' },
  'invalid-event-filter': { http: 400, exit: 1, text: 'Invalid {kind} filter: {reason}' },
  'tag-without-service': {
    http: 400,
    exit: 1,
    text: 'Cannot provide tag filter without service filter',
  },
  'watch-command-failed': {
    http: 500,
    exit: 1,
    text: 'The command of the watch failed: {reason}.',
  },
} as const
