/**
 * Rows of the error table: requests of Consul's clients that are refused, in Consul's words and then our own.
 */
export const consulRequestErrors = {
  'not-built': {
    http: 501,
    exit: 1,
    text: 'Not implemented: svcd has no {what} ({path}). Nothing was read or changed. Use Consul or another program for this.',
  },
  'connect-not-built': {
    http: 501,
    exit: 1,
    text: 'Connect must be enabled in order to use this endpoint, and svcd has no service mesh ({path}). Nothing was read or changed. Use Consul or another program for this.',
  },
  // The web UI of Consul recognizes the status and the end of the text.
  'connect-disabled': {
    http: 500,
    exit: 1,
    text: 'svcd has no service mesh, so it has no discovery chains. Connect must be enabled in order to use this endpoint',
  },
  'acl-disabled': { http: 401, exit: 1, text: 'ACL support disabled' },
  'missing-catalog-service-name': {
    http: 400,
    exit: 1,
    text: 'Must provide service name with ID. Set the name in Service.Service.',
  },
  'missing-node': { http: 400, exit: 1, text: 'Must provide node. Set its name in Node.' },
  'missing-node-address': {
    http: 400,
    exit: 1,
    text: 'Must provide address if SkipNodeUpdate is not set. Set the address of node "{node}" in Address.',
  },
  'bad-node-id': {
    http: 400,
    exit: 1,
    text: 'Bad node ID: "{id}" is not a UUID. Omit ID, or use a UUID such as 6c0f0bd8-8a6f-4a4d-9a1c-2f3d5e7a9b1c.',
  },
  'check-node-differs': {
    http: 400,
    exit: 1,
    text: 'check node "{given}" does not match node "{node}". Omit Node in the check.',
  },
  'missing-service-registration': {
    http: 404,
    exit: 1,
    text: 'failed inserting check: Missing service registration on node "{node}": there is no service with the ServiceID "{id}". Register the service first, or together with the check.',
  },
  'unknown-service-id-elsewhere': {
    http: 404,
    exit: 1,
    text: 'Unknown service ID "{id}". Ensure that the service ID is passed, not the service name. This is the agent of node {node}, but the service with this ID is on node {places}. Send the request to the agent there.',
  },
  'service-name-not-id': {
    http: 404,
    exit: 1,
    text: 'Unknown service ID "{id}". Ensure that the service ID is passed, not the service name. "{id}" is a service name. The IDs of its instances are: {ids}.',
  },
  'unknown-service-id-near': {
    http: 404,
    exit: 1,
    text: 'Unknown service ID "{id}". Ensure that the service ID is passed, not the service name. Did you mean {near}?',
  },
  'no-agent-service': {
    http: 404,
    exit: 1,
    text: 'unknown service ID: {id}. This agent has no service with that ID. `svcd services` lists all services.',
  },
  'no-agent-service-near': {
    http: 404,
    exit: 1,
    text: 'unknown service ID: {id}. This agent has no service with that ID. Did you mean {near}?',
  },
  'no-health-of-service-id': { http: 404, exit: 1, text: 'ServiceId {id} not found' },
  'no-health-of-service-name': { http: 404, exit: 1, text: 'ServiceName {name} Not Found' },
  'unknown-check-id-near': {
    http: 404,
    exit: 1,
    text: 'Unknown check ID "{id}". Ensure that the check ID is passed, not the check name. Did you mean {near}?',
  },
  'invalid-service-check-status': {
    http: 400,
    exit: 1,
    text: "Status for checks must 'passing', 'warning', 'critical'. \"{status}\" is not valid.",
  },
  'invalid-reported-status': {
    http: 400,
    exit: 1,
    text: "Invalid check status: '{status}'. Use passing, warning or critical.",
  },
  'invalid-enable': {
    http: 400,
    exit: 1,
    text: 'Invalid value for enable: "{value}". Use true or false.',
  },
  'invalid-max-stale': {
    http: 400,
    exit: 1,
    text: 'Invalid max_stale value "{value}". Use a duration such as 10s.',
  },
  'no-segments': {
    http: 500,
    exit: 1,
    text: 'Network segments are not supported in this version of Consul, nor in svcd. Omit ?segment.',
  },
  'no-profiles': {
    http: 401,
    exit: 1,
    text: 'ACL support disabled. svcd has no Go profiles. Run `svcd debug` to collect the diagnostics that svcd has.',
  },
  'request-aborted': {
    http: 400,
    exit: 1,
    text: 'The connection was closed before the complete request arrived. Send it again.',
  },
} as const
