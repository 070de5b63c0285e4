/** Rows of the error table: requests of the HTTP API that are refused. */
export const requestErrors = {
  'invalid-json': { http: 400, exit: 1, text: 'Request decode failed: {reason}' },
  'unknown-field': {
    http: 400,
    exit: 1,
    text: 'Request decode failed: json: unknown field "{field}"',
  },
  'invalid-field': { http: 400, exit: 1, text: 'Invalid {field}: {reason}' },
  'body-too-large': {
    http: 413,
    exit: 1,
    text: 'Request body({size} bytes) too large, max size: {max} bytes. Send less data, or split the request.',
  },
  'method-not-allowed': { http: 405, exit: 1, text: 'method {method} not allowed' },
  'unknown-path': {
    http: 404,
    exit: 1,
    text: 'Invalid URL path: not a recognized HTTP API endpoint',
  },
  'dns-off': {
    http: 404,
    exit: 1,
    text: 'DNS is off on this agent, so there is no answer to show. Set -dns-port, or ask another agent.',
  },
  'ui-no-file': {
    http: 404,
    exit: 1,
    text: 'The web UI has no file {path}. Reload the page: the agent may have been updated.',
  },
  'ui-not-built': {
    http: 500,
    exit: 1,
    text: 'The web UI cannot be read from dist/ui of the package. Install svcd again, or run `npm run build` in a clone.',
  },
  'host-not-allowed': {
    http: 403,
    exit: 1,
    text: 'Host "{host}" is not a name of this agent. Use an IP address, localhost or the node name, or allow this name with -allowed-host.',
  },
  'cross-site': {
    http: 403,
    exit: 1,
    text: 'A web page from {origin} may not send {method} requests to this agent. Programs may, and so may pages that this agent serves.',
  },
  'missing-service-name': { http: 400, exit: 1, text: 'Missing service name' },
  'unknown-service-id': {
    http: 404,
    exit: 1,
    text: 'Unknown service ID "{id}". Ensure that the service ID is passed, not the service name.',
  },
  'unknown-check-id': {
    http: 404,
    exit: 1,
    text: 'Unknown check ID "{id}". Ensure that the check ID is passed, not the check name.',
  },
  'not-a-ttl-check': {
    http: 404,
    exit: 1,
    text: 'CheckID "{id}" does not have associated TTL',
  },
  'invalid-evidence': {
    http: 400,
    exit: 1,
    text: 'Evidence "{evidence}" is not valid. Use proof, absence or intent.',
  },
  'missing-check-name': { http: 400, exit: 1, text: 'Missing check name' },
  'invalid-check-status': {
    http: 400,
    exit: 1,
    text: 'Bad check status "{status}". Use passing, warning or critical.',
  },
  'unsupported-check': {
    http: 400,
    exit: 1,
    text: 'Invalid check: svcd does not support {field}. Use a script (Args), HTTP, TCP, UDP, GRPC, H2PING or TTL.',
  },
  'scripts-disabled': {
    http: 400,
    exit: 1,
    text: "Scripts are disabled on this agent{where}; to enable, configure {option} to true. Anyone who can register a check can then run commands as this agent's user.",
  },
  'unknown-service-of-check': {
    http: 404,
    exit: 1,
    text: 'ServiceID "{id}" does not exist. Register the service first.',
  },
  'unknown-node': {
    http: 404,
    exit: 1,
    text: 'Unknown node "{node}". Register it with its Address first.',
  },
  'missing-name': { http: 400, exit: 1, text: 'Missing {what}' },
  'invalid-wait': {
    http: 400,
    exit: 1,
    text: 'Invalid wait time "{value}". Use a duration with a unit, such as 10s or 5m.',
  },
  'invalid-index': {
    http: 400,
    exit: 1,
    text: 'Invalid index "{value}". Use the number from the last X-Consul-Index header.',
  },
  'invalid-filter': {
    http: 400,
    exit: 1,
    text: 'Failed to create boolean expression evaluator: {reason}',
  },
  'conflicting-parameters': {
    http: 400,
    exit: 1,
    text: 'Cannot specify ?{a} with ?{b}, conflicting semantics.',
  },
  'invalid-path': { http: 400, exit: 1, text: 'Invalid URL path "{path}": {reason}' },
  'invalid-request': { http: 400, exit: 1, text: 'Bad request: {reason}' },
  internal: {
    http: 500,
    exit: 1,
    text: 'Internal error. See the log of this agent for details, and please report the error.',
  },
  'malformed-http': {
    http: 400,
    exit: 1,
    text: 'This is not a valid HTTP/1.1 request. The port does not accept HTTPS.',
  },
  'plain-http': {
    http: 400,
    exit: 1,
    text: 'This is the HTTPS port, and the request came without TLS. Use https:// for this address.',
  },
  'request-too-slow': {
    http: 408,
    exit: 1,
    text: 'The request did not arrive in time. Send it again, without pauses.',
  },
  'headers-too-large': {
    http: 431,
    exit: 1,
    text: 'The URL and the headers of the request are longer than {max} bytes. Shorten them.',
  },
  'invalid-autopilot-configuration': {
    http: 400,
    exit: 1,
    text: 'Bad request: Error parsing autopilot config: {reason}',
  },
  'autopilot-fixed': {
    http: 400,
    exit: 1,
    text: 'These autopilot settings are fixed, and nothing was changed: {reason}',
  },
  'no-path-to-datacenter': { http: 500, exit: 1, text: 'No path to datacenter' },
} as const
