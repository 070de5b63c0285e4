import type { CommandEntry } from './command-entry.ts'

/** Every command by its words. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  agent: {
    summary: 'Run an agent.',
    load: async () => (await import('./agent.ts')).agentCommand,
  },
  register: {
    summary: 'Register a service with the agent.',
    load: async () => (await import('./register.ts')).registerCommand,
  },
  deregister: {
    summary: 'Remove a service from the agent, or a node from the catalog.',
    load: async () => (await import('./deregister.ts')).deregisterCommand,
  },
  'services register': {
    summary: "Consul's word for register.",
    load: async () => (await import('./register.ts')).registerCommand,
  },
  'services deregister': {
    summary: "Consul's word for deregister.",
    load: async () => (await import('./deregister.ts')).deregisterCommand,
  },
  'check pass': {
    summary: 'Report that a TTL check passes.',
    load: async () => (await import('./check.ts')).checkPassCommand,
  },
  'check warn': {
    summary: 'Report a warning of a TTL check.',
    load: async () => (await import('./check.ts')).checkWarnCommand,
  },
  'check fail': {
    summary: 'Report that a TTL check is critical.',
    load: async () => (await import('./check.ts')).checkFailCommand,
  },
  heartbeat: {
    summary: 'Report TTL checks as passing, again and again.',
    load: async () => (await import('./heartbeat.ts')).heartbeatCommand,
  },
  status: {
    summary: 'Show the cluster, its services, and what is not healthy.',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  services: {
    summary: 'List services and their health, or the instances of one.',
    load: async () => (await import('./services.ts')).servicesCommand,
  },
  ls: {
    summary: 'Short for services.',
    load: async () => (await import('./services.ts')).lsCommand,
  },
  nodes: {
    summary: 'List nodes.',
    load: async () => (await import('./nodes.ts')).nodesCommand,
  },
  checks: {
    summary: 'List health checks.',
    load: async () => (await import('./checks.ts')).checksCommand,
  },
  watch: {
    summary: 'Print changes of services, nodes or checks as they happen.',
    load: async () => (await import('./watch.ts')).watchCommand,
  },
  maint: {
    summary: 'Take a service, or the whole node, out of all answers, and back.',
    load: async () => (await import('./maint.ts')).maintCommand,
  },
  'catalog services': {
    summary: 'List service names, as Consul prints them.',
    load: async () => (await import('./catalog.ts')).catalogServicesCommand,
  },
  'catalog nodes': {
    summary: 'List nodes, as Consul prints them.',
    load: async () => (await import('./catalog.ts')).catalogNodesCommand,
  },
  'catalog datacenters': {
    summary: 'List datacenters, as Consul prints them.',
    load: async () => (await import('./catalog.ts')).catalogDatacentersCommand,
  },
  members: {
    summary: 'List the servers of the cluster.',
    load: async () => (await import('./members.ts')).membersCommand,
  },
  info: {
    summary: 'Show facts and figures of the agent.',
    load: async () => (await import('./info.ts')).infoCommand,
  },
  join: {
    summary: 'Have an agent without a cluster join one.',
    load: async () => (await import('./join.ts')).joinCommand,
  },
  leave: {
    summary: 'Have the agent leave its cluster for good, and stop.',
    load: async () => (await import('./leave.ts')).leaveCommand,
  },
  reload: {
    summary: 'Have the agent read its configuration again.',
    load: async () => (await import('./reload.ts')).reloadCommand,
  },
  validate: {
    summary: 'Check configuration files without starting an agent.',
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  'force-leave': {
    summary: 'Take a dead server out of the cluster, with its services.',
    load: async () => (await import('./force-leave.ts')).forceLeaveCommand,
  },
  'operator raft list-peers': {
    summary: 'List the servers as Raft knows them.',
    load: async () => (await import('./raft-peers.ts')).listPeersCommand,
  },
  'operator raft transfer-leader': {
    summary: 'Hand the lead over to another server.',
    load: async () => (await import('./raft-peers.ts')).transferLeaderCommand,
  },
  'operator raft add-peer': {
    summary: 'Let a server in that is not configured to join.',
    load: async () => (await import('./raft-peers.ts')).addPeerCommand,
  },
  'operator raft remove-peer': {
    summary: 'Take a server out that will not come back.',
    load: async () => (await import('./raft-peers.ts')).removePeerCommand,
  },
  'operator raft recover': {
    summary: 'Make one server a cluster of its own, after the quorum was lost.',
    load: async () => (await import('./raft-recover.ts')).recoverCommand,
  },
  'snapshot save': {
    summary: 'Write the state of the cluster to a file.',
    load: async () => (await import('./snapshot.ts')).saveCommand,
  },
  'snapshot restore': {
    summary: 'Bring the cluster back to what a file says.',
    load: async () => (await import('./snapshot.ts')).restoreCommand,
  },
  'snapshot inspect': {
    summary: 'Verify a file and show what is in it.',
    load: async () => (await import('./snapshot.ts')).inspectCommand,
  },
  resolve: {
    summary: 'Ask the DNS server for a name, and show what any client gets.',
    load: async () => (await import('./resolve.ts')).resolveCommand,
  },
  monitor: {
    summary: 'Follow the log of a running agent.',
    load: async () => (await import('./monitor.ts')).monitorCommand,
  },
  doctor: {
    summary: 'Find out why something does not work, and say what to do.',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  debug: {
    summary: 'Write a bundle for a bug report, without secrets.',
    load: async () => (await import('./debug.ts')).debugCommand,
  },
  keygen: {
    summary: 'Print a new key for -encrypt.',
    load: async () => (await import('./keygen.ts')).keygenCommand,
  },
  version: {
    summary: 'Print the version.',
    load: async () => (await import('./version.ts')).versionCommand,
  },
  completion: {
    summary: 'Print the completion script for bash, zsh or fish.',
    load: async () => {
      const { completionCommand } = await import('./completion.ts')
      return (io) => completionCommand(io, commands)
    },
  },
}
