import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { reasonOf, SvcdError, svcdError } from '../base/errors.ts'

/** The files that options name. */
export interface PemFiles {
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly caFile?: string | undefined
}

/** The texts in them. */
export interface PemTexts {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/**
 * What servers show each other; undefined unless all three files are named. Throws SvcdError
 * `invalid-option` for a file that cannot be read, or is not what its option needs.
 */
export function readPeerTls({ certFile, keyFile, caFile }: PemFiles): PemTexts | undefined {
  if (certFile === undefined || keyFile === undefined || caFile === undefined) return undefined
  const cert = readCertificate(certFile, '-peer-cert-file')
  const key = readKey(keyFile, '-peer-key-file', cert)
  return { cert, key, ca: readAuthority(caFile, '-peer-ca-file') }
}

/** When all certificates in a PEM text are valid, in milliseconds since 1970. */
export function validityOf(pem: string): { readonly fromMs: number; readonly expiresMs: number } {
  const all = certificatesIn(pem)
  return {
    fromMs: Math.max(...all.map(({ validFrom }) => Date.parse(validFrom))),
    expiresMs: Math.min(...all.map(({ validTo }) => Date.parse(validTo))),
  }
}

/** Whether a certificate, as a PEM text, has an alternative name. */
export function hasName(cert: string, name: string): boolean {
  const check = { subject: 'never', wildcards: false } as const
  return new X509Certificate(cert).checkHost(name, check) !== undefined
}

/** What the HTTPS port shows, and whom it trusts when it asks clients for certificates. */
export interface HttpsTexts {
  readonly cert: string
  readonly key: string
  /** Undefined: clients show no certificate. */
  readonly ca: string | undefined
}

/**
 * Undefined unless certificate and key are named. The authorities count only where clients are
 * verified. Throws as {@link readPeerTls} does.
 */
export function readHttpsTls({
  certFile,
  keyFile,
  caFile,
  verifyIncoming,
}: PemFiles & { readonly verifyIncoming: boolean }): HttpsTexts | undefined {
  const pair = readPair({ certFile, keyFile }, 'https')
  if (pair === undefined) return undefined
  const isUsed = verifyIncoming && caFile !== undefined
  return { ...pair, ca: isUsed ? readAuthority(caFile, '-https-ca-file') : undefined }
}

/** What DNS over TLS and HTTPS shows; as {@link readHttpsTls}. */
export function readDnsTls(files: PemFiles): Pick<PemTexts, 'cert' | 'key'> | undefined {
  return readPair(files, 'dns')
}

/** A certificate and its key; `use` is part of their options. */
function readPair(
  { certFile, keyFile }: PemFiles,
  use: 'check' | 'dns' | 'https',
): Pick<PemTexts, 'cert' | 'key'> | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined
  const cert = readCertificate(certFile, `-${use}-cert-file`)
  return { cert, key: readKey(keyFile, `-${use}-key-file`, cert) }
}

/** What checks over TLS trust and show. Throws as {@link readPeerTls} does. */
export function readCheckTls({ caFile, certFile, keyFile }: PemFiles): Partial<PemTexts> {
  const ca = caFile === undefined ? {} : { ca: readAuthority(caFile, '-check-ca-file') }
  return { ...ca, ...readPair({ certFile, keyFile }, 'check') }
}

/** What an agent with these options would refuse to start with; each group is read up to its first fault. */
export function pemFaults(
  peerTls: PemFiles,
  checks: PemFiles,
  https: Parameters<typeof readHttpsTls>[0],
  dnsTls: PemFiles,
): readonly SvcdError[] {
  const reads = [
    () => readPeerTls(peerTls),
    () => readCheckTls(checks),
    () => readHttpsTls(https),
    () => readDnsTls(dnsTls),
  ]
  return reads.flatMap((read) => {
    try {
      read()
      return []
    } catch (error) {
      if (error instanceof SvcdError) return [error]
      throw error
    }
  })
}

function readCertificate(path: string, option: string): string {
  return readPem(path, option, (cert) => {
    createSecureContext({ cert })
    certificatesIn(cert)
  })
}

/** It must belong to the certificate. */
function readKey(path: string, option: string, cert: string): string {
  return readPem(path, option, (key) => createSecureContext({ cert, key }))
}

/**
 * OpenSSL takes a file without certificates as an authority, and then trusts no certificate. It also takes a file
 * whose second certificate is cut off, and then trusts only the first.
 */
export function readAuthority(path: string, option: string): string {
  return readPem(path, option, certificatesIn)
}

/** The begin of a block of another kind, such as a key (RFC 7468 §2). */
const otherBlock = /^-----BEGIN (?!(?:X509 |TRUSTED )?CERTIFICATE-----)[A-Z0-9 ]+-----/

/** All certificates in a PEM text, at least one. Throws an error if one of them cannot be read. */
function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem
    .split(/^(?=-----B)/m)
    .filter((text) => text.startsWith('-----B') && !otherBlock.test(text))
  // OpenSSL says what is wrong with a text without certificates.
  if (blocks.length < 2) return [new X509Certificate(pem)]
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      throw new Error(`certificate ${at + 1} in it cannot be read: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  })
}

/** The text of a file that `use` accepts. */
function readPem(path: string, option: string, use: (text: string) => unknown): string {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw svcdError('invalid-option', { option, reason: reasonOf(error) }, error)
  }
  try {
    use(text)
  } catch (error) {
    const reason = `"${path}" cannot be used: ${reasonOf(error)}`
    throw svcdError('invalid-option', { option, reason }, error)
  }
  return text
}
