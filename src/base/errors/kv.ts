/**
 * Rows of the error table: the key/value store. What its endpoints refuse has Consul's words.
 */
export const kvErrors = {
  'conflicting-flags': { http: 400, exit: 1, text: 'Conflicting flags: {flags}' },
  // Go's own words, and Consul's status.
  'invalid-unsigned': {
    http: 500,
    exit: 1,
    text: 'strconv.ParseUint: parsing {value}: {reason}',
  },
  'no-such-key': {
    http: 404,
    exit: 1,
    text: 'No key exists at: {key}. `svcd kv get -keys` lists the keys at the top.',
  },
  'key-not-written': {
    http: 500,
    exit: 1,
    text: 'Did not write to {key}: CAS failed. Its ModifyIndex is not {index}. Run `svcd kv get -detailed` with the key to see its present one.',
  },
  'key-not-deleted': {
    http: 500,
    exit: 1,
    text: 'Did not delete key {key}: CAS failed. Its ModifyIndex is not {index}. Run `svcd kv get -detailed` with the key to see its present one.',
  },
  'value-unreadable': {
    http: 500,
    exit: 1,
    text: 'Cannot read the data from {source}: {reason}. Nothing was written.',
  },
  'import-invalid': {
    http: 400,
    exit: 1,
    text: 'Cannot import the data: {reason}. Nothing was written. Use the output of `svcd kv export`.',
  },
} as const
