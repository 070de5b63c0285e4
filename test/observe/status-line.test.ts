import t from 'tap'
import { statusLine } from '../../src/observe/status-line.ts'

t.test('the status line says what a server does in its cluster', async (t) => {
  const server = { id: 'a', address: '10.0.0.1:8300', isVoter: true, isLeader: false, lastIndex: 1 }
  const base = {
    role: 'follower',
    isLeaderReady: false,
    leader: undefined,
    servers: [server, server, server],
    clusterId: 'c',
    damage: undefined,
    leftBehind: undefined,
  } as const
  const leader = { id: 'b', address: '10.0.0.2:8300' }
  t.equal(
    statusLine({ ...base, clusterId: undefined }),
    'Waiting for the other servers: no cluster yet',
  )
  t.equal(statusLine(base), 'Waiting for a leader; 3 servers')
  t.equal(statusLine({ ...base, leader }), 'Follows the leader 10.0.0.2:8300; 3 servers')
  const leads = { ...base, role: 'leader', leader } as const
  t.equal(statusLine(leads), 'Waiting for a leader; 3 servers', 'it has not applied its term yet')
  t.equal(statusLine({ ...leads, isLeaderReady: true, servers: [server] }), 'Leader of 1 server')
  t.match(statusLine({ ...base, damage: 'page 3' }), /Rebuilding the state: page 3/)
  t.match(statusLine({ ...base, leftBehind: { epoch: 0, newestEpoch: 1 } }), /^Left behind/)
})
