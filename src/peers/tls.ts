import { constants } from 'node:crypto'
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'

/** Certificates of this server, as PEM texts. `ca` signs every server of the cluster. */
export interface PeerTls {
  readonly cert: string
  readonly key: string
  readonly ca: string
  /**
   * While TLS is being introduced: connections without it are accepted, and dialled where there is
   * none with it. Default false.
   */
  readonly isPermissive?: boolean
  readonly role?: ServerRole | undefined
}

/** The name by which a certificate says that its owner is a server. */
export interface ServerRole {
  /** `server.dc1.consul`. */
  readonly name: string
  /** Certificates without it are refused. */
  readonly isRequired: boolean
}

/** The names in a certificate. */
export interface PeerCertificate {
  /** For people. */
  readonly names: string
  readonly isFor: (name: string) => boolean
  /** It has the name of the role as an alternative name. */
  readonly hasRole: (role: string) => boolean
  /** It has the role, and is for no server in particular. */
  readonly isForAnyServer: (role: string) => boolean
}

/**
 * TLS 1.3 only, and both sides show a certificate. No session is resumed: OpenSSL would not look at the certificate
 * again, which may have expired.
 */
function tlsOptions({ cert, key, ca }: PeerTls) {
  const secureOptions = constants.SSL_OP_NO_TICKET
  return {
    cert,
    key,
    ca,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    secureOptions,
  } as const
}

export function createMutualTlsServer(tls: PeerTls, handshakeTimeout: number): TlsServer {
  return createTlsServer({ ...tlsOptions(tls), requestCert: true, handshakeTimeout })
}

/** Connections from now on are accepted with these. */
export function showCertificates(server: TlsServer, tls: PeerTls): void {
  server.setSecureContext(tlsOptions(tls))
}

export function dialMutualTls(tls: PeerTls, host: string, port: number): Socket {
  return connectTls({
    ...tlsOptions(tls),
    host,
    port,
    // Certificates name servers, not hosts: the greeting is held against the name in it.
    checkServerIdentity: () => undefined,
  })
}

export function isTls(socket: Socket): boolean {
  return socket instanceof TLSSocket
}

/** What the other side's certificate says about its name. */
export function certificateOf(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerX509Certificate()
  const alternatives = dnsNamesOf(certificate?.subjectAltName)
  const hasRole = (role: string): boolean => alternatives.includes(role)
  return {
    names: [certificate?.subjectAltName, certificate?.subject.split('\n').at(-1)]
      .filter((name) => name !== undefined)
      .join(', '),
    isFor: (name) => {
      // A leading dot would ask for any host below a domain.
      if (certificate === undefined || name === '' || name.startsWith('.')) return false
      return certificate.checkHost(name, { subject: 'always', wildcards: false }) !== undefined
    },
    hasRole,
    isForAnyServer: (role) =>
      hasRole(role) && !alternatives.some((name) => name.endsWith(`.${role}`)),
  }
}

/** `DNS:a, IP Address:127.0.0.1`; a name with other signs is quoted, and is none of ours. */
function dnsNamesOf(alternatives = ''): readonly string[] {
  return [...alternatives.matchAll(/(?:^|, )DNS:([\w.-]+)(?=,|$)/g)].map(([, name = '']) =>
    name.toLowerCase(),
  )
}
