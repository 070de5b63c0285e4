/** Rows of the error table: parameters of HTTP requests that are refused. */
export const parameterErrors = {
  'parameter-not-boolean': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?{name}: {value} is not true or false',
  },
  'entry-not-an-index': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?entry: {value} is not a log index; use a ModifyIndex',
  },
  'too-many-entries': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?entry: a request may have at most {max} entries',
  },
  'no-wan': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?wan: svcd has one datacenter and no WAN to join; leave it out',
  },
  'join-address-malformed': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?address: {value} is not host or host:port',
  },
  'peer-address-malformed': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?address: {value} is not host:port',
  },
  'peer-id-malformed': {
    http: 400,
    exit: 1,
    text: 'Invalid value for ?id: {value} is not a UUID; the ID of the server is in the file node-id in its data directory',
  },
  'peer-not-named': {
    http: 400,
    exit: 1,
    text: "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
  },
  'peer-named-twice': {
    http: 400,
    exit: 1,
    text: 'Bad request: Must specify only one of ?id or ?address',
  },
  'cas-not-a-number': {
    http: 400,
    exit: 1,
    text: 'Bad request: Error parsing cas value: {value} is not a whole number',
  },
  'unknown-log-level': {
    http: 400,
    exit: 1,
    text: 'Bad request: Unknown log level: {level}. Use trace, debug, info, warn or error.',
  },
  'no-peering': {
    http: 400,
    exit: 1,
    text: 'The parameter ?{name} is not supported yet, and ignoring it would give a wrong answer. svcd has no cluster peering; leave it out.',
  },
  'no-namespaces': {
    http: 400,
    exit: 1,
    text: 'The parameter ?{name} is not supported yet, and ignoring it would give a wrong answer. svcd has only the namespace and the partition "default".',
  },
} as const
