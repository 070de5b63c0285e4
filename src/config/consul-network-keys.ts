import type { ConsulKey } from './consul-key.ts'

const isTaken = true
const gossip = 'servers talk over one port, ports.server, and do not gossip'
const wan = 'there is one datacenter'
const mesh = 'there is no service mesh'
const tlsPeers =
  'Between servers give peer_tls.cert_file, key_file and ca_file, which need a certificate for the name of each node'
const tlsChecked = 'with peer_tls both sides of every connection between servers are verified'
const tlsVersion = 'TLS between servers is version 1.3'
const https = 'HTTP is served without TLS'
const proxy = 'Put a reverse proxy in front, or leave it out'

const certificate = {
  reason: `svcd takes its certificates from other keys`,
  next: tlsPeers,
} as const
const verification = { value: false, reason: tlsChecked, next: tlsPeers } as const

/** Consul's keys about addresses, ports and certificates. */
export const consulNetworkKeys: Readonly<Record<string, ConsulKey>> = {
  'addresses.grpc': { reason: mesh, isTaken },
  'addresses.grpc_tls': { reason: mesh, isTaken },
  'addresses.https': { reason: https, isTaken },
  advertise_addr_ipv4: {
    reason: 'a node has one address that others are told',
    next: 'Write it under advertise_addr',
  },
  advertise_addr_ipv6: {
    reason: 'a node has one address that others are told',
    next: 'Write it under advertise_addr',
  },
  advertise_addr_wan: { reason: wan, isTaken },
  advertise_addr_wan_ipv4: { reason: wan, isTaken },
  advertise_addr_wan_ipv6: { reason: wan, isTaken },
  advertise_reconnect_timeout: {
    reason: 'a dead server stays a member until `svcd force-leave`',
    isTaken,
  },
  ca_file: certificate,
  ca_path: certificate,
  cert_file: certificate,
  key_file: certificate,
  gossip_lan: { reason: gossip, isTaken },
  gossip_wan: { reason: wan, isTaken },
  'http_config.allow_write_http_from': {
    reason: 'svcd does not tell writers by their address',
    next: 'Limit who can reach the HTTP port (client_addr, a firewall), then leave it out',
  },
  'http_config.block_endpoints': {
    reason: 'no endpoint can be blocked',
    next: 'Block it in a reverse proxy, then leave it out',
  },
  'http_config.max_header_bytes': { reason: 'the head of a request may have 16 KiB', isTaken },
  'http_config.response_headers': {
    reason: 'svcd adds no fields to its answers',
    next: 'Add them in a reverse proxy, then leave it out',
  },
  'http_config.use_cache': { value: 'any', reason: 'an agent has no cache' },
  'ports.expose_max_port': { reason: mesh, isTaken },
  'ports.expose_min_port': { reason: mesh, isTaken },
  'ports.grpc': {
    value: [-1, 0],
    reason: `${mesh}: no port speaks gRPC`,
    next: 'Leave it out, or write -1',
  },
  'ports.grpc_tls': {
    value: [-1, 0],
    reason: `${mesh}: no port speaks gRPC`,
    next: 'Leave it out, or write -1',
  },
  'ports.https': { value: [-1, 0], reason: https, next: proxy },
  'ports.proxy_max_port': { reason: mesh, isTaken },
  'ports.proxy_min_port': { reason: mesh, isTaken },
  'ports.serf_lan': { value: [-1, 8301], reason: gossip, isTaken },
  'ports.serf_wan': { value: [-1, 8302], reason: wan, isTaken },
  'ports.sidecar_max_port': { reason: mesh, isTaken },
  'ports.sidecar_min_port': { reason: mesh, isTaken },
  reconnect_timeout: { reason: 'a dead server stays a member until `svcd force-leave`', isTaken },
  reconnect_timeout_wan: { reason: wan, isTaken },
  retry_interval: { reason: 'svcd has an interval of its own', isTaken },
  retry_interval_wan: { reason: wan, isTaken },
  retry_max: { value: 0, reason: 'a server asks the others until one answers', isTaken },
  retry_max_wan: { reason: wan, isTaken },
  serf_lan: { reason: gossip, isTaken },
  serf_lan_allowed_cidrs: {
    reason: 'svcd does not tell servers by their address',
    next: 'Give all servers an -encrypt key, or limit who can reach ports.server, then leave it out',
  },
  serf_wan: { reason: wan, isTaken },
  serf_wan_allowed_cidrs: { reason: wan, isTaken },
  server_name: { reason: 'a certificate names the node, or its id', isTaken },
  tagged_addresses: { reason: 'a node has one address, advertise_addr, under all tags', isTaken },
  'tls.defaults': certificate,
  'tls.grpc': { reason: mesh, isTaken },
  'tls.https': { reason: https, next: proxy },
  'tls.internal_rpc': certificate,
  tls_cipher_suites: { reason: tlsVersion, isTaken },
  tls_min_version: { reason: tlsVersion, isTaken },
  tls_prefer_server_cipher_suites: { value: false, reason: tlsVersion, isTaken },
  verify_incoming: verification,
  verify_incoming_https: { value: false, reason: https, next: proxy },
  verify_incoming_rpc: verification,
  verify_outgoing: verification,
  verify_server_hostname: verification,
}
