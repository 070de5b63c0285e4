import type { CommandEntry } from './command-entry.ts'

/** Every command by its words. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  agent: {
    summary: 'Run an agent, which serves HTTP and DNS.',
    load: async () => (await import('./agent.ts')).agentCommand,
  },
  register: {
    summary: 'Register services with the agent.',
    load: async () => (await import('./register.ts')).registerCommand,
  },
  deregister: {
    summary: 'Remove services from the agent, or a node from the catalog.',
    load: async () => (await import('./deregister.ts')).deregisterCommand,
  },
  'services register': {
    summary: "Same as register, under Consul's name.",
    load: async () => (await import('./register.ts')).registerCommand,
  },
  'services deregister': {
    summary: "Same as deregister, under Consul's name.",
    load: async () => (await import('./deregister.ts')).deregisterCommand,
  },
  'check pass': {
    summary: 'Report a TTL check as passing.',
    load: async () => (await import('./check.ts')).checkPassCommand,
  },
  'check warn': {
    summary: 'Report a TTL check as warning.',
    load: async () => (await import('./check.ts')).checkWarnCommand,
  },
  'check fail': {
    summary: 'Report a TTL check as critical.',
    load: async () => (await import('./check.ts')).checkFailCommand,
  },
  heartbeat: {
    summary: 'Report TTL checks as passing, repeatedly.',
    load: async () => (await import('./heartbeat.ts')).heartbeatCommand,
  },
  status: {
    summary: 'Show the cluster, its services, and all checks that do not pass.',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  services: {
    summary: 'List services with their health, or the instances of one service.',
    load: async () => (await import('./services.ts')).servicesCommand,
  },
  ls: {
    summary: 'Short for services.',
    load: async () => (await import('./services.ts')).lsCommand,
  },
  nodes: {
    summary: 'List the nodes of the catalog.',
    load: async () => (await import('./nodes.ts')).nodesCommand,
  },
  checks: {
    summary: 'List health checks with their latest output.',
    load: async () => (await import('./checks.ts')).checksCommand,
  },
  watch: {
    summary: 'Print changes as they happen, or run a command at each change.',
    load: async () => (await import('./watch.ts')).watchCommand,
  },
  maint: {
    summary: 'Enable or disable maintenance mode for a service or the node.',
    load: async () => (await import('./maint.ts')).maintCommand,
  },
  'catalog services': {
    summary: "List service names in the format of Consul's command.",
    load: async () => (await import('./catalog.ts')).catalogServicesCommand,
  },
  'catalog nodes': {
    summary: "List nodes in the format of Consul's command.",
    load: async () => (await import('./catalog.ts')).catalogNodesCommand,
  },
  'catalog datacenters': {
    summary: 'List the datacenters that the agent knows.',
    load: async () => (await import('./catalog.ts')).catalogDatacentersCommand,
  },
  members: {
    summary: 'List the servers of the cluster.',
    load: async () => (await import('./members.ts')).membersCommand,
  },
  info: {
    summary: 'Show statistics of the agent.',
    load: async () => (await import('./info.ts')).infoCommand,
  },
  join: {
    summary: 'Join the agent to an existing cluster.',
    load: async () => (await import('./join.ts')).joinCommand,
  },
  leave: {
    summary: 'Leave the cluster permanently, and stop.',
    load: async () => (await import('./leave.ts')).leaveCommand,
  },
  reload: {
    summary: 'Read the files of services, checks and zones again.',
    load: async () => (await import('./reload.ts')).reloadCommand,
  },
  validate: {
    summary: 'Check configuration files without starting an agent.',
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  'force-leave': {
    summary: 'Remove a failed server and its services.',
    load: async () => (await import('./force-leave.ts')).forceLeaveCommand,
  },
  'kv get': {
    summary: 'Print the value of a key, or list keys.',
    load: async () => (await import('./kv/get.ts')).kvGetCommand,
  },
  'kv put': {
    summary: 'Write the value of a key.',
    load: async () => (await import('./kv/put.ts')).kvPutCommand,
  },
  'kv delete': {
    summary: 'Delete a key, or all keys with a prefix.',
    load: async () => (await import('./kv/delete.ts')).kvDeleteCommand,
  },
  'kv export': {
    summary: 'Print keys with their values as JSON.',
    load: async () => (await import('./kv/export-import.ts')).kvExportCommand,
  },
  'kv import': {
    summary: 'Write the keys of an export.',
    load: async () => (await import('./kv/export-import.ts')).kvImportCommand,
  },
  'query list': {
    summary: 'List the prepared queries.',
    load: async () => (await import('./query/list.ts')).queryListCommand,
  },
  'query get': {
    summary: 'Print the definition of a prepared query.',
    load: async () => (await import('./query/read.ts')).queryGetCommand,
  },
  'query create': {
    summary: 'Create a prepared query from a file.',
    load: async () => (await import('./query/write.ts')).queryCreateCommand,
  },
  'query update': {
    summary: 'Replace the definition of a prepared query.',
    load: async () => (await import('./query/write.ts')).queryUpdateCommand,
  },
  'query delete': {
    summary: 'Delete a prepared query.',
    load: async () => (await import('./query/write.ts')).queryDeleteCommand,
  },
  'query execute': {
    summary: 'List the instances that a prepared query chooses.',
    load: async () => (await import('./query/read.ts')).queryExecuteCommand,
  },
  'query explain': {
    summary: 'Show the prepared query that a name finds.',
    load: async () => (await import('./query/read.ts')).queryExplainCommand,
  },
  'intention list': {
    summary: 'List the intentions: which service may call which.',
    load: async () => (await import('./intention/read.ts')).intentionListCommand,
  },
  'intention create': {
    summary: 'Say that one service may call another, or may not.',
    load: async () => (await import('./intention/write.ts')).intentionCreateCommand,
  },
  'intention get': {
    summary: 'Print an intention.',
    load: async () => (await import('./intention/read.ts')).intentionGetCommand,
  },
  'intention match': {
    summary: 'List the intentions about a service.',
    load: async () => (await import('./intention/read.ts')).intentionMatchCommand,
  },
  'intention check': {
    summary: 'Tell whether one service may call another.',
    load: async () => (await import('./intention/read.ts')).intentionCheckCommand,
  },
  'intention delete': {
    summary: 'Delete an intention.',
    load: async () => (await import('./intention/write.ts')).intentionDeleteCommand,
  },
  event: {
    summary: 'Fire a user event.',
    load: async () => (await import('./event/fire.ts')).eventCommand,
  },
  'event list': {
    summary: 'List the last user events.',
    load: async () => (await import('./event/list.ts')).eventListCommand,
  },
  lock: {
    summary: 'Run a command while holding a lock or semaphore.',
    load: async () => (await import('./lock/lock.ts')).lockCommand,
  },
  'session create': {
    summary: 'Create a session, and print its ID.',
    load: async () => (await import('./session/create.ts')).sessionCreateCommand,
  },
  'session list': {
    summary: 'List sessions.',
    load: async () => (await import('./session/list.ts')).sessionListCommand,
  },
  'session info': {
    summary: 'Show one session.',
    load: async () => (await import('./session/list.ts')).sessionInfoCommand,
  },
  'session renew': {
    summary: 'Start the TTL of sessions again.',
    load: async () => (await import('./session/end.ts')).sessionRenewCommand,
  },
  'session destroy': {
    summary: 'End sessions, and release their locks.',
    load: async () => (await import('./session/end.ts')).sessionDestroyCommand,
  },
  'acl bootstrap': {
    summary: 'Create the first token of a cluster.',
    load: async () => (await import('./acl/bootstrap.ts')).aclBootstrapCommand,
  },
  'acl why': {
    summary: 'Show why a token may or may not do something.',
    load: async () => (await import('./acl/why.ts')).aclWhyCommand,
  },
  'acl token create': {
    summary: 'Create a token, and print its secret.',
    load: async () => (await import('./acl/token-write.ts')).tokenCreateCommand,
  },
  'acl token list': {
    summary: 'List the tokens.',
    load: async () => (await import('./acl/token-read.ts')).tokenListCommand,
  },
  'acl token read': {
    summary: 'Show one token.',
    load: async () => (await import('./acl/token-read.ts')).tokenReadCommand,
  },
  'acl token update': {
    summary: 'Change a token.',
    load: async () => (await import('./acl/token-write.ts')).tokenUpdateCommand,
  },
  'acl token clone': {
    summary: 'Copy a token, with a new secret.',
    load: async () => (await import('./acl/token-write.ts')).tokenCloneCommand,
  },
  'acl token delete': {
    summary: 'Delete a token.',
    load: async () => (await import('./acl/token-write.ts')).tokenDeleteCommand,
  },
  'acl policy create': {
    summary: 'Create a policy.',
    load: async () => (await import('./acl/policy.ts')).policyCreateCommand,
  },
  'acl policy list': {
    summary: 'List the policies.',
    load: async () => (await import('./acl/policy.ts')).policyListCommand,
  },
  'acl policy read': {
    summary: 'Show one policy.',
    load: async () => (await import('./acl/policy.ts')).policyReadCommand,
  },
  'acl policy update': {
    summary: 'Change a policy.',
    load: async () => (await import('./acl/policy.ts')).policyUpdateCommand,
  },
  'acl policy delete': {
    summary: 'Delete a policy.',
    load: async () => (await import('./acl/policy.ts')).policyDeleteCommand,
  },
  'acl role create': {
    summary: 'Create a role.',
    load: async () => (await import('./acl/role.ts')).roleCreateCommand,
  },
  'acl role list': {
    summary: 'List the roles.',
    load: async () => (await import('./acl/role.ts')).roleListCommand,
  },
  'acl role read': {
    summary: 'Show one role.',
    load: async () => (await import('./acl/role.ts')).roleReadCommand,
  },
  'acl role update': {
    summary: 'Change a role.',
    load: async () => (await import('./acl/role.ts')).roleUpdateCommand,
  },
  'acl role delete': {
    summary: 'Delete a role.',
    load: async () => (await import('./acl/role.ts')).roleDeleteCommand,
  },
  'operator raft list-peers': {
    summary: 'List the servers of the Raft configuration.',
    load: async () => (await import('./raft-peers.ts')).listPeersCommand,
  },
  'operator raft transfer-leader': {
    summary: 'Transfer leadership to another server.',
    load: async () => (await import('./raft-peers.ts')).transferLeaderCommand,
  },
  'operator raft add-peer': {
    summary: 'Add a server that cannot join automatically.',
    load: async () => (await import('./raft-peers.ts')).addPeerCommand,
  },
  'operator raft remove-peer': {
    summary: 'Remove a failed server, but not its services.',
    load: async () => (await import('./raft-peers.ts')).removePeerCommand,
  },
  'operator raft recover': {
    summary: 'Turn a stopped server into a new cluster.',
    load: async () => (await import('./raft-recover.ts')).recoverCommand,
  },
  'snapshot save': {
    summary: 'Save the state of the cluster to a file.',
    load: async () => (await import('./snapshot.ts')).saveCommand,
  },
  'snapshot restore': {
    summary: 'Restore the state of the cluster from a file.',
    load: async () => (await import('./snapshot.ts')).restoreCommand,
  },
  'snapshot inspect': {
    summary: 'Verify a snapshot file and show its content.',
    load: async () => (await import('./snapshot.ts')).inspectCommand,
  },
  resolve: {
    summary: 'Query the DNS server for a name, and show its answer.',
    load: async () => (await import('./resolve.ts')).resolveCommand,
  },
  top: {
    summary: 'Show what DNS clients ask the agent now.',
    load: async () => (await import('./top.ts')).topCommand,
  },
  'resolver-setup': {
    summary: 'Print how a resolver forwards the domain to the agent.',
    load: async () => (await import('./resolver-setup.ts')).resolverSetupCommand,
  },
  monitor: {
    summary: 'Stream the log of a running agent.',
    load: async () => (await import('./monitor.ts')).monitorCommand,
  },
  doctor: {
    summary: 'Find out why something does not work, and how to fix it.',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  debug: {
    summary: 'Write an archive for a bug report, without secrets.',
    load: async () => (await import('./debug.ts')).debugCommand,
  },
  'tls ca create': {
    summary: 'Create a certificate authority for a cluster.',
    load: async () => (await import('./tls/ca-create.ts')).tlsCaCreateCommand,
  },
  'tls cert create': {
    summary: 'Create a certificate for a server or a client.',
    load: async () => (await import('./tls/cert-create.ts')).tlsCertCreateCommand,
  },
  keygen: {
    summary: 'Generate a cluster secret for -encrypt.',
    load: async () => (await import('./keygen.ts')).keygenCommand,
  },
  version: {
    summary: 'Print the versions of svcd and Node.js.',
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
