import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'

/** Certificates of this server, as PEM texts. `ca` signs every server of the cluster. */
export interface PeerTls {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** The names in a certificate. */
export interface PeerCertificate {
  /** For people. */
  readonly names: string
  readonly isFor: (name: string) => boolean
}

/** TLS 1.3 only, and both sides show a certificate. */
function tlsOptions({ cert, key, ca }: PeerTls) {
  return { cert, key, ca, minVersion: 'TLSv1.3', rejectUnauthorized: true } as const
}

export function createMutualTlsServer(tls: PeerTls, handshakeTimeout: number): TlsServer {
  return createTlsServer({ ...tlsOptions(tls), requestCert: true, handshakeTimeout })
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

/** What the other side's certificate says about its name. */
export function certificateOf(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerX509Certificate()
  return {
    names: [certificate?.subjectAltName, certificate?.subject.split('\n').at(-1)]
      .filter((name) => name !== undefined)
      .join(', '),
    isFor: (name) => {
      // A leading dot would ask for any host below a domain.
      if (certificate === undefined || name === '' || name.startsWith('.')) return false
      return certificate.checkHost(name, { subject: 'always', wildcards: false }) !== undefined
    },
  }
}
