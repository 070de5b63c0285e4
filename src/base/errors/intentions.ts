/**
 * Rows of the error table: intentions. What the endpoints refuse begins with Consul's words and has its statuses.
 */
export const intentionErrors = {
  'intention-not-found': {
    http: 404,
    exit: 1,
    text: 'Intention not found: there is none {which}, or the token may not read it. `svcd intention list` lists all of them.',
  },
  'intention-bad-id': {
    http: 400,
    exit: 1,
    text: 'failed intention lookup: index error: UUID must be 36 characters: {id} is not the ID of an intention. `svcd intention list --output wide` shows the IDs.',
  },
  'intention-not-there': {
    http: 500,
    exit: 1,
    text: "Cannot {verb} non-existent intention: '{id}'. `svcd intention list` lists all of them.",
  },
  'intention-id-given': {
    http: 500,
    exit: 1,
    text: 'ID must be empty when creating a new intention. Omit it, or update the intention with PUT.',
  },
  'intention-invalid': { http: 500, exit: 1, text: '{count} occurred:\n{faults}\n\n' },
  'intention-taken': {
    http: 500,
    exit: 1,
    text: 'duplicate intention found: there is one with the source "{source}" and the destination "{destination}" already. Replace it with `svcd intention create -replace`.',
  },
  'intention-parameter-missing': {
    http: 500,
    exit: 1,
    text: "required query parameter '{name}' not set",
  },
  'intention-side-unknown': {
    http: 500,
    exit: 1,
    text: "'by' parameter must be one of 'source' or 'destination'",
  },
  'intention-name-invalid': {
    http: 500,
    exit: 1,
    text: `{what} {name} is invalid: input can contain at most one '/'`,
  },
  'intention-denied': {
    http: 500,
    exit: 1,
    text: '{source} may not call {destination}: {by}. Allow it with `svcd intention create -replace -allow {source} {destination}`.',
  },
  'intention-source-type': { http: 500, exit: 1, text: 'unsupported SourceType: {type}' },
} as const
