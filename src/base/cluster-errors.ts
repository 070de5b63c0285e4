/** Rows of the error table: what a cluster refuses. */
export const clusterErrors = {
  'operation-refused': {
    http: 500,
    exit: 1,
    text: 'The cluster refuses: {reason}. `svcd operator raft list-peers` lists its servers.',
  },
  'release-too-old': {
    http: 503,
    exit: 1,
    text: 'The write "{kind}" needs state format {format}, which these servers have not reported: {servers}. Upgrade svcd there and keep it running, or remove a server that is gone with `svcd operator raft remove-peer`. Nothing was changed.',
  },
} as const
