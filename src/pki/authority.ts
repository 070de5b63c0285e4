import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { certificatePem } from './certificate.ts'
import type { CertificateFacts, Usage } from './certificate.ts'
import { must } from '../base/assert.ts'

/** PEM texts. */
export interface Credentials {
  readonly cert: string
  readonly key: string
}

export interface AuthorityOptions {
  readonly days: number
  /** It may sign only names in these domains; undefined: all. */
  readonly domains?: readonly string[] | undefined
  readonly nowMs: number
}

export type Role = 'server' | 'client' | 'cli'

export interface LeafOptions {
  readonly role: Role
  readonly datacenter: string
  readonly domain: string
  /** The node that a server's certificate is for; undefined: any. */
  readonly node?: string | undefined
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly days: number
  readonly nowMs: number
}

const dayMs = 86_400_000
/** Clocks differ: a new certificate is valid immediately on all machines. */
const skewMs = 5 * 60_000

/** A new authority that signs itself, with a key on P-256. */
export function createAuthority({ days, domains, nowMs }: AuthorityOptions): Credentials {
  const serial = newSerial()
  const { privateKey, publicKey } = newKey()
  const commonName = `svcd Agent CA ${BigInt(`0x${Buffer.from(serial).toString('hex')}`)}`
  const facts = { ...span(days, nowMs), commonName, serial, publicKey, isAuthority: true, domains }
  const cert = must(certificatePem(facts, { key: privateKey }))
  return { cert, key: pemOf(privateKey) }
}

/**
 * A certificate for a role, signed by `authority`, and not valid for longer than that. Undefined if its key has a
 * type that svcd cannot sign with. Throws an error for texts that are not certificate and key of an authority that
 * is valid now.
 */
export function createLeaf(authority: Credentials, options: LeafOptions): Credentials | undefined {
  const { role, days, nowMs } = options
  const { key, certificate } = signerOf(authority, nowMs)
  const { privateKey, publicKey } = newKey()
  const [commonName = '', ...others] = namesOf(options)
  const { from, until } = span(days, nowMs)
  const end = new Date(certificate.validTo)
  const facts: CertificateFacts = {
    from,
    // Beyond its authority it would be refused, although its own date says otherwise.
    until: until < end ? until : end,
    commonName,
    serial: newSerial(),
    publicKey,
    isAuthority: false,
    dnsNames: [commonName, ...others],
    ipAddresses: addressesOf(options),
    usages: usagesOf[role],
  }
  const cert = certificatePem(facts, { key, certificate })
  return cert === undefined ? undefined : { cert, key: pemOf(privateKey) }
}

/** Throws an error that says what is wrong with `authority`. */
function signerOf(authority: Credentials, nowMs: number) {
  const key = createPrivateKey(authority.key)
  const certificate = new X509Certificate(authority.cert)
  if (!certificate.ca) throw new Error('the certificate is not that of an authority')
  if (!certificate.checkPrivateKey(key)) {
    throw new Error('the key does not belong to the certificate')
  }
  if (Date.parse(certificate.validTo) <= nowMs) {
    throw new Error(`the authority expired on ${new Date(certificate.validTo).toISOString()}`)
  }
  return { key, certificate }
}

/** `server.dc1.consul`: who shows it is a server of that datacenter. */
export function roleName(role: Role, datacenter: string, domain: string): string {
  return `${role}.${datacenter}.${domain}`
}

/** As Consul: servers and agents are dialled and dial, a command line only dials. */
const usagesOf: Readonly<Record<Role, readonly Usage[]>> = {
  server: ['serverAuth', 'clientAuth'],
  client: ['serverAuth', 'clientAuth'],
  cli: ['clientAuth'],
}

function namesOf({
  role,
  datacenter,
  domain,
  node,
  dnsNames = [],
}: LeafOptions): readonly string[] {
  const own = roleName(role, datacenter, domain)
  const ofNode = node === undefined ? [] : [`${node}.${own}`]
  return [...new Set([own, ...ofNode, 'localhost', ...dnsNames])]
}

function addressesOf({ role, ipAddresses = [] }: LeafOptions): readonly string[] {
  return [...new Set([...(role === 'cli' ? [] : ['127.0.0.1']), ...ipAddresses])]
}

function span(days: number, nowMs: number): { readonly from: Date; readonly until: Date } {
  return { from: new Date(nowMs - skewMs), until: new Date(nowMs + days * dayMs) }
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function pemOf(key: ReturnType<typeof newKey>['privateKey']): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** RFC 5280 §4.1.2.2: at most 20 bytes, and never negative. */
function newSerial(): Uint8Array {
  return randomBytes(16)
}
