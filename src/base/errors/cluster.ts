/** Rows of the error table: what the servers of a cluster refuse or fail to do. */
export const clusterErrors = {
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
    text: 'The disk of the leader, {node}, has {free} MiB left, and {reserve} MiB are reserved for the log and snapshots (-disk-reserve-mib). The leader refuses registrations and writes of keys until there is space. Free some space, or remove services and keys that you do not need.',
  },
  'operation-refused': {
    http: 500,
    exit: 1,
    text: 'The cluster refuses: {reason}. `svcd operator raft list-peers` lists its servers.',
  },
  'member-alive': {
    http: 500,
    exit: 1,
    text: '{name} is alive, so it was not removed. To remove it, run `svcd leave` on it.',
  },
  'member-alive-namesake': {
    http: 500,
    exit: 1,
    text: 'The cluster refuses: {name} is alive; to remove it, run `svcd leave` on it. Its ID is {id}. To remove a failed server that had this name before, give its ID: {others}. `svcd operator raft list-peers` lists its servers.',
  },
  'release-too-old': {
    http: 503,
    exit: 1,
    text: 'The write "{kind}" needs state format {format}, and these servers run an older release of svcd: {servers}. Upgrade them first. Nothing was changed.',
  },
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
  'peer-refuses-connection': {
    http: 500,
    exit: 1,
    text: 'The connection to server {peer} was refused: {reason}.',
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
} as const
