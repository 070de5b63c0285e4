import { consulVersion } from '../../../base/version.ts'
import type { Identity } from '../../../ports/identity.ts'
import { serverAddress } from '../agent/members.ts'

/**
 * What clients look up in the configuration that agent/self shows: of Consul's about 250 keys those that
 * mean something here, or that say that a feature is off. There is no gossip; who joins dials the servers'
 * port, so that is the address to join at.
 */
export function debugConfig(identity: Identity, hasAcls: boolean) {
  const { address, datacenter, ports } = identity
  const url = `tcp://${serverAddress(identity)}`
  return {
    ACLsEnabled: hasAcls,
    AdvertiseAddrLAN: address,
    AdvertiseAddrWAN: address,
    AutoEncryptTLS: false,
    ConnectEnabled: false,
    DNSDomain: `${identity.domain}.`.replace(/\.+$/, '.'),
    DNSPort: ports.dns,
    Datacenter: datacenter,
    EnableDebug: false,
    EnableUI: false,
    GRPCPort: -1,
    HTTPPort: ports.http,
    HTTPSPort: ports.https ?? -1,
    NodeID: identity.nodeId,
    NodeName: identity.nodeName,
    PrimaryDatacenter: datacenter,
    RPCAdvertiseAddr: url,
    Revision: '',
    SegmentName: '',
    SerfAdvertiseAddrLAN: url,
    SerfAdvertiseAddrWAN: url,
    SerfPortLAN: ports.server,
    SerfPortWAN: ports.server,
    ServerMode: identity.server,
    ServerPort: ports.server,
    Version: consulVersion,
    VersionPrerelease: '',
  }
}
