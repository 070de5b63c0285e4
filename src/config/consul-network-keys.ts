import type { ConsulKey } from './consul-key.ts'

const isTaken = true
const gossip = 'svcd servers do not gossip; they use one port, ports.server'
const wan = 'an svcd cluster has one datacenter'
const mesh = 'svcd has no service mesh'
const tlsPeers =
  'For TLS between servers set peer_tls.cert_file, peer_tls.key_file and peer_tls.ca_file (each certificate must contain the name or ID of its node), then remove it'
const tlsChecked =
  'with peer_tls both sides of every connection between servers are always verified'
const tlsVersion = 'HTTPS uses TLS 1.2 or 1.3, and TLS between servers always uses 1.3'

const failedServer = 'a failed server stays a member until `svcd force-leave`'

const certificate = {
  reason: 'svcd reads certificates from its own keys',
  next: tlsPeers,
} as const
const verification = {
  value: false,
  reason: tlsChecked,
  next: `${tlsPeers}. For certificates of HTTPS clients set tls.https.verify_incoming`,
} as const

/** Consul's keys about addresses, ports and certificates. */
export const consulNetworkKeys: Readonly<Record<string, ConsulKey>> = {
  'addresses.grpc': { reason: mesh, isTaken },
  'addresses.grpc_tls': { reason: mesh, isTaken },
  advertise_addr_ipv4: {
    reason: 'a node advertises one address',
    next: 'Set advertise_addr instead',
  },
  advertise_addr_ipv6: {
    reason: 'a node advertises one address',
    next: 'Set advertise_addr instead',
  },
  advertise_addr_wan: { reason: wan, isTaken },
  advertise_addr_wan_ipv4: { reason: wan, isTaken },
  advertise_addr_wan_ipv6: { reason: wan, isTaken },
  advertise_reconnect_timeout: {
    reason: failedServer,
    isTaken,
  },
  ca_path: {
    reason: 'svcd reads authorities from one file',
    next: 'Put the certificates into one file, and set tls.https.ca_file',
  },
  gossip_lan: { reason: gossip, isTaken },
  gossip_wan: { reason: wan, isTaken },
  'http_config.allow_write_http_from': {
    reason: 'svcd cannot limit writes by client address',
    next: 'Limit who can reach the HTTP port (client_addr, a firewall), then remove it',
  },
  'http_config.block_endpoints': {
    reason: 'svcd cannot block endpoints',
    next: 'Block the endpoints in a reverse proxy, then remove it',
  },
  'http_config.max_header_bytes': {
    reason: 'request headers may always have up to 16 KiB',
    isTaken,
  },
  'http_config.response_headers': {
    reason: 'svcd cannot add headers to its responses',
    next: 'Add the headers in a reverse proxy, then remove it',
  },
  'http_config.use_cache': { value: 'any', reason: 'the agent has no cache' },
  'ports.expose_max_port': { reason: mesh, isTaken },
  'ports.expose_min_port': { reason: mesh, isTaken },
  'ports.grpc': {
    value: [-1, 0],
    reason: `${mesh} and no gRPC port`,
    next: 'Remove it, or write -1',
  },
  'ports.grpc_tls': {
    value: [-1, 0],
    reason: `${mesh} and no gRPC port`,
    next: 'Remove it, or write -1',
  },
  'ports.proxy_max_port': { reason: mesh, isTaken },
  'ports.proxy_min_port': { reason: mesh, isTaken },
  'ports.serf_lan': { value: [-1, 8301], reason: gossip, isTaken },
  'ports.serf_wan': { value: [-1, 8302], reason: wan, isTaken },
  'ports.sidecar_max_port': { reason: mesh, isTaken },
  'ports.sidecar_min_port': { reason: mesh, isTaken },
  reconnect_timeout: { reason: failedServer, isTaken },
  reconnect_timeout_wan: { reason: wan, isTaken },
  retry_interval: { reason: 'svcd chooses the interval', isTaken },
  retry_interval_wan: { reason: wan, isTaken },
  retry_max: {
    value: 0,
    reason: 'a server retries without a limit until another one answers',
    isTaken,
  },
  retry_max_wan: { reason: wan, isTaken },
  serf_lan: { reason: gossip, isTaken },
  serf_lan_allowed_cidrs: {
    reason: 'svcd cannot limit servers by address',
    next: 'Set encrypt on all servers, or limit who can reach ports.server, then remove it',
  },
  serf_wan: { reason: wan, isTaken },
  serf_wan_allowed_cidrs: { reason: wan, isTaken },
  server_name: { reason: 'a certificate contains the name or ID of its node', isTaken },
  tagged_addresses: { reason: 'a node has one address, advertise_addr, for all tags', isTaken },
  'tls.defaults.ca_path': {
    reason: 'svcd reads authorities from one file',
    next: 'Put the certificates into one file, and set tls.https.ca_file',
  },
  'tls.defaults.tls_cipher_suites': { reason: tlsVersion, isTaken },
  'tls.defaults.tls_min_version': { reason: tlsVersion, isTaken },
  'tls.defaults.verify_incoming': verification,
  'tls.defaults.verify_outgoing': verification,
  'tls.defaults.verify_server_hostname': verification,
  'tls.grpc': { reason: mesh, isTaken },
  'tls.https.ca_path': {
    reason: 'svcd reads authorities from one file',
    next: 'Put the certificates into one file, and set tls.https.ca_file',
  },
  'tls.https.tls_cipher_suites': { reason: tlsVersion, isTaken },
  'tls.https.tls_min_version': { reason: tlsVersion, isTaken },
  'tls.https.verify_outgoing': { value: 'any', reason: 'an agent does not dial HTTPS by itself' },
  'tls.internal_rpc': certificate,
  tls_cipher_suites: { reason: tlsVersion, isTaken },
  tls_min_version: { reason: tlsVersion, isTaken },
  tls_prefer_server_cipher_suites: { value: false, reason: tlsVersion, isTaken },
  verify_incoming: verification,
  verify_incoming_rpc: verification,
  verify_outgoing: verification,
  verify_server_hostname: verification,
}
