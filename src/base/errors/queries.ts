/**
 * Rows of the error table: prepared queries. What the endpoints refuse has Consul's words and statuses.
 */
export const queryErrors = {
  'query-token-gone': {
    http: 403,
    exit: 1,
    text: 'ACL not found: the token of the prepared query "{name}" does not exist or has expired. Store the query again with another token.',
  },
  'query-not-found': {
    http: 404,
    exit: 1,
    text: 'Query not found: no prepared query has the ID or name "{name}". `svcd query list` lists all of them.',
  },
  'query-not-there': {
    http: 500,
    exit: 1,
    text: "Cannot modify non-existent prepared query: '{id}'",
  },
  'query-id-given': {
    http: 500,
    exit: 1,
    text: 'ID must be empty when creating a new prepared query',
  },
  'query-invalid': { http: 500, exit: 1, text: 'Invalid prepared query: {reason}' },
  'query-template-invalid': { http: 500, exit: 1, text: 'failed compiling template: {reason}' },
  'query-not-rendered': { http: 500, exit: 1, text: '{reason}' },
  'query-too-large': {
    http: 400,
    exit: 1,
    text: 'Invalid prepared query: its definition has {size} bytes, and at most {max} are allowed.',
  },
  'query-name-taken': { http: 500, exit: 1, text: "name '{name}' aliases an existing query name" },
  'query-name-of-id': { http: 500, exit: 1, text: "name '{name}' aliases an existing query ID" },
  'query-wildcard-taken': {
    http: 500,
    exit: 1,
    text: 'a query template with an empty name already exists',
  },
  'query-session-unknown': { http: 500, exit: 1, text: 'invalid session "{session}"' },
  'query-template-by-id': {
    http: 500,
    exit: 1,
    text: 'prepared query templates can only be resolved up by name, not by ID',
  },
  'bad-limit': { http: 500, exit: 1, text: 'Bad limit: strconv.Atoi: parsing {value}: {reason}' },
  'bad-connect': {
    http: 500,
    exit: 1,
    text: "Error parsing 'connect' value: strconv.ParseBool: parsing {value}: invalid syntax",
  },
  'definition-unreadable': {
    http: 500,
    exit: 1,
    text: 'Cannot read the definition from {source}: {reason}. Nothing was written.',
  },
} as const
