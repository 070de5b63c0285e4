import { clusterErrors } from './cluster-errors.ts'
import { visibleLines } from './invisible.ts'
import { kvErrors } from './kv-errors.ts'
import { requestErrors } from './request-errors.ts'
import { tlsReason } from './tls-reason.ts'

/** One row of the error table: what an error of this code looks like at each edge. */
export interface ErrorRow {
  /** HTTP status of the response that carries it. */
  readonly http: number
  /** Exit code of a CLI command that ends with it: 1 = refused or failed, 2 = could not ask. */
  readonly exit: 1 | 2
  /** The message; `{x}` is filled from the parameters. It names the thing and the next step. */
  readonly text: string
}

/**
 * Every operating error of svcd. docs/errors.md lists the same rows, and a test holds both equal.
 * The texts that Consul's clients match on are Consul's own.
 */
export const errorTable = {
  // Requests
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
  'invalid-parameter': { http: 400, exit: 1, text: 'Invalid value for ?{name}: {reason}' },
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
  'unsupported-parameter': {
    http: 400,
    exit: 1,
    text: 'The parameter ?{name} is not supported yet, and ignoring it would give a wrong answer. {next}',
  },
  'invalid-path': { http: 400, exit: 1, text: 'Invalid URL path "{path}": {reason}' },
  'invalid-request': { http: 400, exit: 1, text: 'Bad request: {reason}' },
  internal: {
    http: 500,
    exit: 1,
    text: 'Internal error. See the log of this agent for details, and please report the error.',
  },
  'autopilot-fixed': {
    http: 400,
    exit: 1,
    text: 'These autopilot settings are fixed, and nothing was changed: {reason}',
  },
  'no-path-to-datacenter': { http: 500, exit: 1, text: 'No path to datacenter' },

  ...requestErrors,
  ...kvErrors,

  // The cluster
  'no-leader': {
    http: 500,
    exit: 1,
    // Consul's, as far as the full stop.
    text: 'No cluster leader. To read what this server knows, use ?stale (--stale). To write, wait until a majority of the servers is back; `svcd operator raft list-peers --stale` lists the servers.',
  },
  'left-behind': {
    http: 500,
    exit: 1,
    text: 'This server was left behind when its cluster was recovered: the cluster is in epoch {newer}, this server is in epoch {epoch}. It serves only DNS and stale reads. Stop it, empty its data directory and start it with -retry-join.',
  },
  busy: {
    http: 503,
    exit: 1,
    text: 'Too many writes are waiting on the server ({waiting}). Retry in a moment.',
  },
  'disk-low': {
    http: 507,
    exit: 1,
    text: 'The disk of the leader, {node}, has {free} MiB left, and {reserve} MiB are reserved for the log and snapshots (-disk-reserve-mib). The leader refuses registrations until there is space. Free some space, or deregister what you do not need.',
  },
  ...clusterErrors,
  'join-refused': {
    http: 500,
    exit: 1,
    text: 'A server can join on its own only if it proves its identity. Run `svcd operator raft add-peer -id {id} -address {address}` on a server of the cluster, or give all servers the same -encrypt key or certificates.',
  },
  'unknown-member': {
    http: 500,
    exit: 1,
    // Consul's, as far as the full stop.
    text: "agent: No node found with name '{name}'. Use a name from `svcd members`, or an ID from `svcd operator raft list-peers`.",
  },
  'ambiguous-peer': {
    http: 500,
    exit: 1,
    text: '{what} "{value}" is ambiguous: {servers}. Use the ID of the server. `svcd force-leave ID` removes a failed server and everything that is registered on it. `svcd operator raft remove-peer -id ID` removes only the member.',
  },
  'node-name-taken': {
    http: 500,
    exit: 1,
    // Consul's, as far as the comma.
    text: 'Node name {name} is reserved by node {id} with name {name} ({address}), which is alive. Give this node another name (-node), or remove the other server from the cluster first.',
  },
  'unknown-peer': {
    http: 500,
    exit: 1,
    text: '{what} "{value}" was not found in the Raft configuration. `svcd operator raft list-peers` lists its servers.',
  },
  'restore-unfinished': {
    http: 500,
    exit: 1,
    text: 'The restore stopped after {done} changes: {reason}. Run it again; the changes that are already made stay in place.',
  },
  'unknown-request': {
    http: 500,
    exit: 1,
    text: 'A server of another release sent the request "{kind}", which this server does not know. Upgrade both to the same release.',
  },
  'peer-refused': {
    http: 500,
    exit: 1,
    text: 'A server refuses the request "{kind}" from another server: {reason}. Check with `svcd members` that all servers run the same release.',
  },
  'write-stalled': {
    http: 500,
    exit: 1,
    text: 'The disk has not completed a write for {seconds} s. This write may or may not have been saved. Check the disk, then retry.',
  },
  'too-many-connections': {
    http: 429,
    exit: 1,
    // Consul's.
    text: 'Your IP is issuing too many concurrent connections, please rate limit your calls',
  },
  'no-connections-left': {
    http: 503,
    exit: 1,
    text: 'All connections that this agent accepts are in use. Retry in a moment, or use another server.',
  },
  stopping: { http: 503, exit: 1, text: 'The agent is stopping. Use another server.' },
  'command-too-large': {
    http: 413,
    exit: 1,
    text: 'The registration has {size} bytes; the limit is {max}. Shorten its meta or tags.',
  },
  'peer-unreachable': {
    http: 500,
    exit: 1,
    text: 'Cannot reach server {peer}: {reason}. Check that it is running and that the network allows the connection, then retry.',
  },
  'peer-lost': {
    http: 500,
    exit: 1,
    text: 'The connection to server {peer} was lost before it answered "{kind}" ({reason}). The operation may or may not have been done. Check the result, then retry.',
  },
  'peer-timeout': {
    http: 500,
    exit: 1,
    text: 'Server {peer} did not answer "{kind}" within {seconds} s. The operation may or may not have been done. Check the result, then retry.',
  },
  'peer-failed': {
    http: 500,
    exit: 1,
    text: 'Server {peer} failed to do "{kind}": {reason}. Its log may have details.',
  },
  'peer-is-self': {
    http: 500,
    exit: 1,
    text: '{address} is the address of this server itself. Use the address of another server.',
  },

  // Starting an agent
  'port-in-use': {
    http: 500,
    exit: 1,
    text: '{what} port {port} on {address} is in use. Stop the program that uses it (ss -lnp | grep {port}), or choose another with {flag}.',
  },
  'bind-failed': {
    http: 500,
    exit: 1,
    text: 'Cannot listen for {what} on {address} port {port}: {reason}. Choose another with {flag}.',
  },
  'descriptors-too-few': {
    http: 500,
    exit: 1,
    text: 'This process may open {limit} files, but svcd needs at least {min}. Raise the limit with ulimit -n, or with LimitNOFILE= in the systemd unit.',
  },
  'data-dir-unusable': {
    http: 500,
    exit: 1,
    text: 'The data directory {path} cannot be used: {reason}. Check its owner and mode, or choose another directory with -data-dir.',
  },
  'sqlite-unavailable': {
    http: 500,
    exit: 1,
    text: 'Cannot load {name} {range} on Node.js {node}: {reason}. {next}',
  },
  'data-dir-in-use': {
    http: 500,
    exit: 1,
    text: 'The data directory {path} is in use by another svcd. Stop that agent first, or choose another directory with -data-dir.',
  },
  'data-dir-newer': {
    http: 500,
    exit: 1,
    text: 'The data directory {path} was written by a newer svcd ({file} has format {found}; this one knows up to {known}). Run that version again, or restore a snapshot into an empty directory.',
  },
  'data-dir-older': {
    http: 500,
    exit: 1,
    text: 'The data directory {path} was written by an older svcd whose files cannot be migrated ({file} has format {found}; this one reads {oldest} to {known}). Start with an empty directory, or run that version again.',
  },
  'data-corrupt': {
    http: 500,
    exit: 1,
    text: '{file} is damaged: {reason}. This node refuses to serve. Restore its data from a snapshot or from another server.',
  },
  'state-damaged': {
    http: 503,
    exit: 1,
    text: 'The state of this server is damaged: {reason}. The server rebuilds it automatically from its log and snapshots, then answers again. Use another server until then.',
  },
  'state-lost': {
    http: 500,
    exit: 1,
    text: '{file} is damaged ({reason}), and it cannot be rebuilt from the log and the snapshots in its directory: {why}. If the cluster has other servers, start this server with an empty data directory so that it joins them as a new server, then remove its old entry with `svcd operator raft remove-peer`. Otherwise, start with an empty data directory and run `svcd snapshot restore` with your newest archive.',
  },
  'node-id-lost': {
    http: 500,
    exit: 1,
    text: 'The data directory {path} belongs to a member of a cluster, but {reason}. Write its ID into the file node-id in that directory (`svcd operator raft list-peers` on another server shows all IDs), or empty the directory to join as a new server.',
  },
  'node-id-invalid': {
    http: 500,
    exit: 1,
    text: 'The file {path} does not contain a UUID. Write the ID of this node into it, or remove the file to get a new ID.',
  },
  'recover-refused': {
    http: 500,
    exit: 1,
    text: 'Cannot recover from {path}: {reason}. Nothing was changed. Use the data directory of a server that was a member.',
  },
  'snapshot-unusable': {
    http: 400,
    exit: 1,
    text: 'The snapshot {file} cannot be used: {reason}. Nothing was changed. Use another snapshot.',
  },
  'snapshot-failed': {
    http: 500,
    exit: 1,
    text: 'Cannot write the snapshot {path}: {reason}. Check the free space and the owner of its directory.',
  },
  'zone-invalid': {
    http: 500,
    exit: 1,
    text: 'Invalid zone file: {reason}. Fix it, then start the agent, or send SIGHUP to a running agent.',
  },
  'invalid-option': { http: 500, exit: 1, text: 'Option {option}: {reason}' },
  'options-invalid': {
    http: 500,
    exit: 1,
    text: 'Invalid configuration, {count} errors:\n{list}',
  },
  'config-unreadable': { http: 500, exit: 1, text: 'Config file {path}: {reason}' },

  'config-invalid': {
    http: 500,
    exit: 1,
    text: 'Invalid configuration: {count} error(s). An agent skips invalid definitions and refuses to start with invalid options.',
  },

  // The CLI
  'agent-unreachable': {
    http: 500,
    exit: 2,
    text: 'No agent answers at {address} ({reason}). Start one with `svcd agent -dev`, or set another address with -http-addr or SVCD_HTTP_ADDR.',
  },
  'agent-refused': {
    http: 500,
    exit: 1,
    // `{agent}` names the agent where the fault is its own, and is empty where the request is wrong.
    text: '{agent}{reason}',
  },
  'agent-is-dns': {
    http: 500,
    exit: 2,
    text: 'A DNS server answers at {address}, not the HTTP API of an agent. The HTTP port is 8500 by default: try -http-addr {host}:8500.',
  },
  'agent-is-https': {
    http: 500,
    exit: 2,
    text: 'The server at {address} expects HTTPS. Use https:// in -http-addr or SVCD_HTTP_ADDR.',
  },
  'agent-is-http': {
    http: 500,
    exit: 2,
    text: 'The server at {address} speaks HTTP without TLS. Use http:// in -http-addr or SVCD_HTTP_ADDR.',
  },
  'agent-silent': {
    http: 500,
    exit: 2,
    text: 'A program accepts connections at {address}, but it does not answer HTTP requests{what}. The HTTP port of an agent is 8500 by default. If the port is correct, check the log of the agent.',
  },
  'not-an-agent': {
    http: 500,
    exit: 2,
    text: 'An HTTP server answers at {address}, but it is not an agent ({reason}). The HTTP port of an agent is 8500 by default; set it with -http-addr or SVCD_HTTP_ADDR.',
  },
  'dns-unreachable': {
    http: 500,
    exit: 2,
    text: 'No DNS server answers at {address} ({reason}). Start an agent with `svcd agent -dev`, or set another address with -dns-addr or SVCD_DNS_ADDR.',
  },
  'definitions-invalid': {
    http: 400,
    exit: 1,
    text: '{count} definitions are invalid, and nothing was changed:\n{list}',
  },
  'registration-undone': {
    http: 500,
    exit: 1,
    text: 'Service "{id}" was not registered: {reason} {undone}',
  },
  'deregistration-incomplete': {
    http: 500,
    exit: 1,
    text: '{failed} of {count} were not removed.',
  },
  'reload-incomplete': {
    http: 500,
    exit: 1,
    text: 'The agent did not accept everything: {leftOut} skipped, {heldBack} kept. Fix the files named above, then reload again.',
  },
  'dns-is-http': {
    http: 500,
    exit: 2,
    text: 'An HTTP server answers at {address}, not a DNS server. The DNS port of an agent is 8600 by default: try -dns-addr {host}:8600.',
  },
  'no-ttl-check': {
    http: 404,
    exit: 1,
    text: 'This agent has no TTL check "{id}". {hint}',
  },
  'doctor-found': {
    http: 500,
    exit: 1,
    text: '{count} found; see the advice above.',
  },
  'no-such-service': {
    http: 404,
    exit: 1,
    text: '{what}. `svcd services` lists all services.',
  },
  'no-such-member': {
    http: 404,
    exit: 2,
    text: 'No server of the cluster matches {what}. `svcd members` lists all servers.',
  },
  'file-unwritable': {
    http: 500,
    exit: 1,
    text: 'Cannot write the file {path}: {reason}. Check its directory, or choose another file.',
  },
  'no-such-name': {
    http: 404,
    exit: 1,
    text: 'No {types} record for {name}: {rcode} from {address}.{hint}',
  },
  usage: { http: 400, exit: 1, text: '{reason}' },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable

type ParameterNames<T extends string> = T extends `${string}{${infer P}}${infer Rest}`
  ? P | ParameterNames<Rest>
  : never

/** The parameters that the text of `C` asks for. */
export type ErrorParameters<C extends ErrorCode> = Record<
  ParameterNames<(typeof errorTable)[C]['text']>,
  string | number
>

/** An operating error: expected, handled at the edge (HTTP, CLI, start-up), logged there once. */
export class SvcdError extends Error {
  override name = 'SvcdError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }

  get row(): ErrorRow {
    return errorTable[this.code]
  }
}

/** Builds the error of one row, its text filled in from `parameters`, which may be anybody's words. */
export function svcdError<C extends ErrorCode>(
  code: C,
  parameters: ErrorParameters<C>,
  cause?: unknown,
): SvcdError {
  const values = parameters as Record<string, string | number>
  const text = errorTable[code].text.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? visibleLines(String(values[name])) : whole,
  )
  return new SvcdError(code, text, cause)
}

/** The words of an unknown thrown value, for the `{reason}` of another error. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return tlsReason(message) ?? message
}
