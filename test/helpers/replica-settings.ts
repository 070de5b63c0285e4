import type { ReplicaSettings } from '../../src/replica/messages.ts'

/** One server that is a cluster by itself, on any port. */
export const loneServer: ReplicaSettings = {
  id: 'n1',
  name: 'n1',
  datacenter: 'dc1',
  bindAddress: '127.0.0.1',
  advertiseAddress: '127.0.0.1',
  serverPort: 0,
  bootstrapExpect: 1,
  retryJoin: [],
  silenceMs: 3000,
  stateCheckMs: 600_000,
  secret: undefined,
  tls: undefined,
}
