/** Rows of the error table: what keeps an agent from starting, or from using its files. */
export const startErrors = {
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
} as const
