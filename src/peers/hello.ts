import { visible } from '../base/invisible.ts'
import { ByteReader, ByteWriter, lengthAndText } from './bytes.ts'
import { buildFrame, frameTypes, greetingVersion } from './frame.ts'
import { encodeChallenge, readChallenge } from './secret.ts'
import type { Challenge } from './secret.ts'
import type { PeerCertificate, ServerRole } from './tls.ts'

/** What a connection is for; a snapshot has one of its own, so that it delays no heartbeat. */
export type Purpose = 'messages' | 'snapshot'

/** How two servers introduce themselves, the one that dials first. */
export interface Hello {
  readonly protocolMin: number
  readonly protocolMax: number
  readonly purpose: Purpose
  /** Of the cluster's state; raised by `operator raft recover`. */
  readonly epoch: number
  /** What this server understands beyond the protocol's version, one bit each. */
  readonly features: number
  /** Drawn at start: tells this very process from another one with the same id. */
  readonly instance: number
  /** Undefined: in no cluster yet. */
  readonly clusterId: string | undefined
  readonly id: string
  readonly name: string
  /** Where this server can be dialled. */
  readonly address: string
  /** The id that the dialling side wants to reach; undefined when only an address is known. */
  readonly to: string | undefined
  /** Of a server with a cluster secret. */
  readonly challenge?: Challenge | undefined
}

/** What this server knows of a peer beside its greeting. */
export interface KnownPeer {
  /** The other side's, where there is TLS. */
  readonly certificate: PeerCertificate | undefined
  /** How certificates name servers; undefined: only by node name and ID. */
  readonly role?: ServerRole | undefined
  /** What the cluster calls the server of that id; undefined: it is new. */
  readonly name: string | undefined
  /** Of their cluster, as far as this server has learned: above its own, it was left behind. */
  readonly newestEpoch?: number
}

/** Why two servers do not talk. The words are part of the protocol. */
export type RefusalCode =
  | 'not-a-peer'
  | 'bad-greeting'
  | 'handshake-timeout'
  | 'protocol'
  | 'self'
  | 'same-id'
  | 'unexpected-id'
  | 'wrong-cluster'
  | 'wrong-epoch'
  | 'certificate'
  | 'secret'
  | 'tls'

export interface Refusal {
  readonly code: RefusalCode
  readonly text: string
  /** With `wrong-epoch`: the newest epoch of the cluster that the refusing side knows. */
  readonly epoch?: number | undefined
  /** With `wrong-epoch`, and not sent: the epoch that the other side says it is in. */
  readonly theirEpoch?: number | undefined
}

/** The same as it arrives: the code may be one of a later release. */
export type ReceivedRefusal = Omit<Refusal, 'code'> & { readonly code: string }

/** What both sides work with once the greetings are through. */
export interface Agreement {
  readonly version: number
  readonly features: number
  /** False while one side is in no cluster: requests may pass, Raft messages may not. */
  readonly isSameCluster: boolean
}

const magic = 0x53564344
const purposes: readonly Purpose[] = ['messages', 'snapshot']

export function encodeHello(hello: Hello): Buffer {
  const fixed = new ByteWriter(29)
  fixed.u32(magic)
  fixed.u16(hello.protocolMin)
  fixed.u16(hello.protocolMax)
  fixed.u8(purposes.indexOf(hello.purpose))
  fixed.u64(hello.epoch)
  fixed.u32(hello.features)
  fixed.u64(hello.instance)
  const texts = [hello.clusterId ?? '', hello.id, hello.name, hello.address, hello.to ?? '']
  return buildFrame(frameTypes.hello, greetingVersion, [
    fixed.buffer,
    ...texts.map((text) => lengthAndText(text, 2)),
    ...(hello.challenge === undefined ? [] : [encodeChallenge(hello.challenge)]),
  ])
}

/**
 * Undefined for bytes that are not a greeting. Bytes behind it belong to a later release, and are
 * left alone.
 */
export function decodeHello(body: Buffer): Hello | undefined {
  const reader = new ByteReader(body)
  if (reader.u32() !== magic) return undefined
  const protocolMin = reader.u16()
  const protocolMax = reader.u16()
  const purpose = purposes[reader.u8()]
  const epoch = reader.u64()
  const features = reader.u32()
  const instance = reader.u64()
  const clusterId = reader.text(2)
  const id = reader.text(2)
  const name = reader.text(2)
  const address = reader.text(2)
  const to = reader.text(2)
  if (reader.isBad || purpose === undefined || id === '') return undefined
  const challenge = readChallenge(reader)
  return {
    protocolMin,
    protocolMax,
    purpose,
    epoch,
    features,
    instance,
    clusterId: clusterId === '' ? undefined : clusterId,
    id,
    name,
    address,
    to: to === '' ? undefined : to,
    ...(challenge === undefined ? {} : { challenge }),
  }
}

/** The epoch follows the text, if there is one. Older releases ignore it. */
export function encodeRefusal({ code, text, epoch }: Refusal): Buffer {
  const parts: Buffer[] = [lengthAndText(code, 1), lengthAndText(text, 2)]
  if (epoch !== undefined) {
    const more = new ByteWriter(8)
    more.u64(epoch)
    parts.push(more.buffer)
  }
  return buildFrame(frameTypes.reject, greetingVersion, parts)
}

/** The words of the other side, fit to be logged. */
export function decodeRefusal(body: Buffer): ReceivedRefusal | undefined {
  const reader = new ByteReader(body)
  const refusal = { code: printable(reader.text(1)), text: printable(reader.text(2)) }
  if (reader.isBad) return undefined
  const epoch = reader.u64()
  return reader.isBad ? refusal : { ...refusal, epoch }
}

/** A peer's words must not write lines of their own into the log, nor fill it. */
export function printable(text: string): string {
  return visible(text).slice(0, 300)
}

/** How a line of the log calls a server. */
export function describePeer(peer: { id: string; name: string; address: string }): string {
  return printable(`${peer.name} (${peer.id}, ${peer.address})`)
}

/** Says which of the two lacks a secret that the other one demands. */
export function judgeSecret(own: Hello, theirs: Hello): Refusal | undefined {
  const peer = describePeer(theirs)
  if (own.challenge?.isRequired === true && theirs.challenge === undefined) {
    return refuse(
      'secret',
      `${peer} has no cluster secret, but this server has one: give that server the same -encrypt key`,
    )
  }
  if (own.challenge === undefined && theirs.challenge?.isRequired === true) {
    return refuse(
      'secret',
      `${peer} has a cluster secret, but this server has none: give this server the same -encrypt key`,
    )
  }
  return undefined
}

/** Whether `own` talks to `theirs`, as both sides judge alike. */
export function judgeHello(own: Hello, theirs: Hello, known?: KnownPeer): Agreement | Refusal {
  const peer = describePeer(theirs)
  const version = Math.min(own.protocolMax, theirs.protocolMax)
  if (version < Math.max(own.protocolMin, theirs.protocolMin)) {
    return refuse(
      'protocol',
      `${peer} supports protocol versions ${theirs.protocolMin} to ${theirs.protocolMax}, ` +
        `this server supports ${own.protocolMin} to ${own.protocolMax}: upgrade the older server first`,
    )
  }
  if (theirs.id === own.id) {
    if (theirs.instance === own.instance)
      return refuse('self', 'this address belongs to the server itself')
    return refuse(
      'same-id',
      `${peer} has the same node ID as this server: if a data directory was copied, empty the copy and start that server again`,
    )
  }
  const fault = certificateFault(theirs, known)
  if (fault !== undefined) return refuse('certificate', fault)
  if (own.to !== undefined && own.to !== theirs.id) {
    return refuse('unexpected-id', `${peer} answered where node ID ${own.to} was expected`)
  }
  if (theirs.to !== undefined && theirs.to !== own.id) {
    return refuse('unexpected-id', `${peer} expected node ID ${printable(theirs.to)} here`)
  }
  if (own.clusterId !== undefined && theirs.clusterId !== undefined) {
    if (own.clusterId !== theirs.clusterId) {
      return refuse(
        'wrong-cluster',
        `${peer} belongs to cluster ${printable(theirs.clusterId)}, this server to ${own.clusterId}`,
      )
    }
    const newest = Math.max(own.epoch, known?.newestEpoch ?? 0)
    if (own.epoch !== theirs.epoch || newest > own.epoch) {
      const text =
        `${peer} is in epoch ${theirs.epoch} of the cluster, this server is in epoch ${own.epoch}, and the newest epoch known here is ${newest}: ` +
        'the cluster was recovered, and a server that was left behind must join again with an empty data directory'
      return { code: 'wrong-epoch', text, epoch: newest, theirEpoch: theirs.epoch }
    }
    return { version, features: own.features & theirs.features, isSameCluster: true }
  }
  return { version, features: own.features & theirs.features, isSameCluster: false }
}

function refuse(code: RefusalCode, text: string): Refusal {
  return { code, text }
}

/**
 * A certificate for the id proves the id. A certificate for a name is valid for the id that the
 * cluster knows by that name, or for a new id. Otherwise the owner of a certificate for `web7`
 * could be any server. A certificate of the server role that names no node is valid for all of them,
 * as in Consul: it was made for servers only.
 */
function certificateFault(peer: Hello, known: KnownPeer | undefined): string | undefined {
  const { certificate, name, role } = known ?? {}
  if (certificate === undefined) return undefined
  const whose = `the certificate of ${describePeer(peer)} is for ${printable(certificate.names) || 'no name'}`
  if (role?.isRequired === true && !certificate.hasRole(role.name)) {
    return `${whose}: the certificate of a server must contain the name ${role.name} (peer_tls.verify_server_role)`
  }
  if (certificate.isFor(peer.id)) return undefined
  if (role !== undefined && certificate.isForAnyServer(role.name)) return undefined
  const isFor = (node: string): boolean =>
    certificate.isFor(node) || (role !== undefined && certificate.isFor(`${node}.${role.name}`))
  if (!isFor(peer.name)) {
    return `${whose}: its name must be the node ID or the node name`
  }
  if (name === undefined || isFor(name)) return undefined
  return `${whose}, but the cluster knows that node ID as ${printable(name)}: its name must be that one, or the node ID`
}
