import { createHash, createPublicKey, sign } from 'node:crypto'
import type { KeyObject, X509Certificate } from 'node:crypto'
import { must } from '../base/assert.ts'
import { parseIp } from '../base/ip.ts'
import {
  bits,
  explicit,
  implicit,
  integer,
  nothing,
  objectId,
  octets,
  sequence,
  setOf,
  time,
  truth,
  utf8,
  valuesIn,
} from './der.ts'

/** What a certificate says (RFC 5280). */
export interface CertificateFacts {
  readonly commonName: string
  /** 20 bytes at most; random. */
  readonly serial: Uint8Array
  readonly from: Date
  readonly until: Date
  readonly publicKey: KeyObject
  /** It signs other certificates. */
  readonly isAuthority: boolean
  /** Of an authority: it may sign only names in these domains. Default: all names. */
  readonly domains?: readonly string[] | undefined
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  /** Default: none, which means any. */
  readonly usages?: readonly Usage[]
}

export type Usage = 'serverAuth' | 'clientAuth'

/** Who signs; without a certificate the new one signs itself. */
export interface Signer {
  readonly key: KeyObject
  readonly certificate?: X509Certificate
}

const usageIds: Readonly<Record<Usage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}

/** How keys of each type sign: `digest` for Node, `id` for readers of the certificate (RFC 5758, 4055, 8410). */
const algorithms: Readonly<Record<string, { digest: string | null; id: Buffer }>> = {
  ec: { digest: 'sha256', id: sequence(objectId('1.2.840.10045.4.3.2')) },
  rsa: { digest: 'sha256', id: sequence(objectId('1.2.840.113549.1.1.11'), nothing) },
  ed25519: { digest: null, id: sequence(objectId('1.3.101.112')) },
}

/** A signed certificate as PEM; undefined for a key of a type that it cannot sign with. */
export function certificatePem(facts: CertificateFacts, signer: Signer): string | undefined {
  const algorithm = algorithms[signer.key.asymmetricKeyType ?? '']
  if (algorithm === undefined) return undefined
  const subject = nameOf(facts.commonName)
  const signed = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(facts.serial),
    algorithm.id,
    signer.certificate === undefined ? subject : subjectOf(signer.certificate),
    sequence(time(facts.from), time(facts.until)),
    subject,
    spkiOf(facts.publicKey),
    explicit(3, sequence(...extensions(facts, signer))),
  )
  const signature = sign(algorithm.digest, signed, signer.key)
  const lines = sequence(signed, algorithm.id, bits(signature))
    .toString('base64')
    .replaceAll(/.{64}(?!$)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(objectId('2.5.4.3'), utf8(commonName))))
}

function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** RFC 7093 §2, method 1. */
function keyIdOf(key: KeyObject): Buffer {
  const [, value] = valuesIn(must(valuesIn(spkiOf(key))[0]).content)
  const content = must(value).content.subarray(1)
  return createHash('sha256').update(content).digest().subarray(0, 20)
}

/** RFC 5280 §4.1: version, serial, algorithm, issuer, validity, subject. */
function partsOf(certificate: X509Certificate): readonly Buffer[] {
  const [outer] = valuesIn(certificate.raw)
  const [inner] = valuesIn(must(outer).content)
  return valuesIn(must(inner).content).map(({ whole }) => whole)
}

/** The original bytes, so that every reader finds issuer and subject equal. */
function subjectOf(certificate: X509Certificate): Buffer {
  return must(partsOf(certificate)[5], 'a certificate of version 3 has a subject')
}

/** The ID by which the authority names its own key. */
function authorityKeyId(certificate: X509Certificate): Buffer {
  const id = objectId('2.5.29.14')
  const list = valuesIn(valuesIn(must(partsOf(certificate).at(-1)))[0]?.content ?? Buffer.alloc(0))
  for (const { content } of valuesIn(list[0]?.content ?? Buffer.alloc(0))) {
    const parts = valuesIn(content)
    if (parts[0]?.whole.equals(id) === true)
      return must(valuesIn(must(parts.at(-1)).content)[0]).content
  }
  return keyIdOf(certificate.publicKey)
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(id), ...(isCritical ? [truth] : []), octets(value))
}

function extensions(facts: CertificateFacts, signer: Signer): readonly Buffer[] {
  const { isAuthority, publicKey, usages = [], domains = [] } = facts
  const issuerKeyId =
    signer.certificate === undefined ? keyIdOf(publicKey) : authorityKeyId(signer.certificate)
  const names = [
    ...(facts.dnsNames ?? []).map((name) => implicit(2, Buffer.from(name))),
    ...(facts.ipAddresses ?? []).map((ip) => implicit(7, must(parseIp(ip)))),
  ]
  return [
    extension('2.5.29.19', isAuthority ? sequence(truth) : sequence(), true),
    // digitalSignature; an authority also signs certificates and revocation lists. RFC 5480 §3 allows
    // no encipherment for elliptic curves.
    extension(
      '2.5.29.15',
      isAuthority ? bits(Buffer.from([0x86]), 1) : bits(Buffer.from([0x80]), 7),
      true,
    ),
    ...(usages.length === 0
      ? []
      : [extension('2.5.29.37', sequence(...usages.map((usage) => objectId(usageIds[usage]))))]),
    extension('2.5.29.14', octets(keyIdOf(publicKey))),
    extension('2.5.29.35', sequence(implicit(0, issuerKeyId))),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))]),
    ...(domains.length === 0 ? [] : [extension('2.5.29.30', permitted(domains), true)]),
  ]
}

/** RFC 5280 §4.2.1.10. */
function permitted(domains: readonly string[]): Buffer {
  return sequence(
    explicit(0, ...domains.map((domain) => sequence(implicit(2, Buffer.from(domain))))),
  )
}
