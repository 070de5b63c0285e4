import { assert } from '../../base/assert.ts'

/** Consul's rule for the names of service and node identities. */
const identityName = /^[a-z0-9](?:[a-z0-9_-]{0,254}[a-z0-9])?$/

/** Whether a service or a node of this name can be an identity of a token. */
export function isIdentityName(name: string): boolean {
  return identityName.test(name)
}

/** The rules of a token for a service: register it and its sidecar, and find others. */
export function serviceIdentityRules(service: string): string {
  assert(isIdentityName(service), 'the name of a service identity was checked')
  return `service "${service}" {
	policy = "write"
}
service "${service}-sidecar-proxy" {
	policy = "write"
}
service_prefix "" {
	policy = "read"
}
node_prefix "" {
	policy = "read"
}
`
}

/** The rules of a token for the agent of a node: register the node, and find its services. */
export function nodeIdentityRules(node: string): string {
  assert(isIdentityName(node), 'the name of a node identity was checked')
  return `node "${node}" {
	policy = "write"
}
service_prefix "" {
	policy = "read"
}
`
}
