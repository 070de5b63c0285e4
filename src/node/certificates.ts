import type { Clock } from '../base/clock.ts'
import { SvcdError, svcdError } from '../base/errors.ts'
import { expiryFinding } from '../base/expiry.ts'
import type { CertificateExpiry } from '../base/expiry.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { StreamCertificate } from '../net/tcp/stream-port.ts'
import type { PeerTls } from '../peers/tls.ts'
import {
  hasName,
  readCheckTls,
  readDnsTls,
  readHttpsTls,
  readPeerTls,
  validityOf,
} from '../process/pem-files.ts'
import type { HttpsTexts } from '../process/pem-files.ts'

/** Who uses the files, once its port is open. */
export interface CertificateUsers {
  https?: (texts: HttpsTexts) => void
  dns?: (certificate: StreamCertificate) => void
  peers?: (tls: PeerTls) => void
}

/** What a reload has made of the files. */
export interface CertificateReport {
  /** The certificates that new connections use from now on. */
  readonly taken: readonly string[]
  /** Why files were left out: the earlier certificates then stay in use. */
  readonly leftOut: readonly string[]
}

export type CertificateConfig = Pick<
  Config,
  'https' | 'dnsTls' | 'peerTls' | 'checks' | 'datacenter' | 'domain'
>

const dayMs = 86_400_000

/**
 * The certificates and keys that the options of a node name. Throws SvcdError `invalid-option` for files
 * that cannot be used; an agent does not start with them. With an expired certificate it logs an error and
 * starts, because clients decide whether they accept it, as with Consul and etcd.
 */
export class NodeCertificates {
  readonly users: CertificateUsers = {}
  readonly #config: CertificateConfig
  readonly #logger: Logger
  readonly #clock: Pick<Clock, 'wallMs'>
  readonly #timer: NodeJS.Timeout
  #https: HttpsTexts | undefined
  #dns: StreamCertificate | undefined
  #peers: PeerTls | undefined

  constructor(config: CertificateConfig, logger: Logger, clock: Pick<Clock, 'wallMs'>) {
    this.#config = config
    this.#logger = logger
    this.#clock = clock
    this.#https = readHttpsTls(config.https)
    this.#dns = readDnsTls(config.dnsTls)
    this.#peers = peerTlsOf(config)
    if (this.#peers !== undefined) logRules(this.#peers, logger)
    this.#logExpiries()
    this.#timer = setInterval(() => this.#logExpiries(), dayMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** The certificates in use, those of checks included. */
  get expiries(): readonly CertificateExpiry[] {
    const checks = readOrNothing(() => readCheckTls(this.#config.checks))
    const texts = [
      ['https', this.#https?.cert],
      ['https-ca', this.#https?.ca],
      ['dns', this.#dns?.cert],
      ['peer', this.#peers?.cert],
      ['peer-ca', this.#peers?.ca],
      ['check', checks?.cert],
      ['check-ca', checks?.ca],
    ] as const
    return texts.flatMap(([use, text]) => {
      if (text === undefined) return []
      const { fromMs, expiresMs } = validityOf(text)
      // A new authority may be there before it is valid: the old one is still beside it.
      return use.endsWith('-ca') ? [{ use, expiresMs }] : [{ use, expiresMs, fromMs }]
    })
  }

  get https(): HttpsTexts | undefined {
    return this.#https
  }

  get dns(): StreamCertificate | undefined {
    return this.#dns
  }

  get peers(): PeerTls | undefined {
    return this.#peers
  }

  /**
   * Reads the files again. New connections use what has changed. `changed`: the configuration as it is now,
   * of which only the mode of TLS between servers is taken.
   */
  reload(changed?: CertificateConfig): CertificateReport {
    const { https, dnsTls, peerTls } = this.#config
    const { mode, verifyServerRole } = (changed ?? this.#config).peerTls
    const reports = [
      this.#again('HTTPS', () => {
        const read = readHttpsTls(https)
        if (read === undefined || isSame(read, this.#https)) return false
        this.#refuseInvalid(read.cert, '-https-cert-file')
        this.users.https?.(read)
        this.#https = read
        return true
      }),
      this.#again('DNS', () => {
        const read = readDnsTls(dnsTls)
        if (read === undefined || isSame(read, this.#dns)) return false
        this.#refuseInvalid(read.cert, '-dns-cert-file')
        this.users.dns?.(read)
        this.#dns = read
        return true
      }),
      this.#again('connections between servers', () => {
        const read = peerTlsOf({ ...this.#config, peerTls: { ...peerTls, mode, verifyServerRole } })
        if (read === undefined || isSame(read, this.#peers)) return false
        this.#refuseInvalid(read.cert, '-peer-cert-file')
        this.users.peers?.(read)
        this.#peers = read
        logRules(read, this.#logger)
        return true
      }),
    ]
    this.#logExpiries()
    return {
      taken: reports.flatMap(({ taken }) => taken),
      leftOut: reports.flatMap(({ leftOut }) => leftOut),
    }
  }

  /** It would replace a certificate that may still be valid. */
  #refuseInvalid(cert: string, option: string): void {
    const { fromMs, expiresMs } = validityOf(cert)
    const nowMs = this.#clock.wallMs()
    if (fromMs <= nowMs && nowMs < expiresMs) return
    const reason =
      fromMs > nowMs
        ? `the certificate is not valid before ${new Date(fromMs).toISOString()}`
        : `the certificate expired on ${new Date(expiresMs).toISOString()}`
    throw svcdError('invalid-option', { option, reason })
  }

  #logExpiries(): void {
    for (const expiry of this.expiries) {
      const { level, text } = expiryFinding(expiry, this.#clock.wallMs())
      if (level === 'problem') this.#logger.error({ certificate: expiry.use }, text)
      if (level === 'warning') this.#logger.warn({ certificate: expiry.use }, text)
    }
  }

  #again(what: string, take: () => boolean): CertificateReport {
    try {
      if (!take()) return { taken: [], leftOut: [] }
      this.#logger.info({}, `new connections use the new certificates for ${what}`)
      return { taken: [`certificates for ${what}: changed`], leftOut: [] }
    } catch (error) {
      if (!(error instanceof SvcdError)) throw error
      this.#logger.error({ reason: error.message }, `keeping the previous certificates for ${what}`)
      return { taken: [], leftOut: [error.message] }
    }
  }
}

/** The agent has read these at its start; files that have become faulty since then are not its concern here. */
function readOrNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof SvcdError) return undefined
    throw error
  }
}

function isSame(a: object, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function peerTlsOf({ peerTls, datacenter, domain }: CertificateConfig): PeerTls | undefined {
  const texts = readPeerTls(peerTls)
  if (texts === undefined) return undefined
  const name = `server.${datacenter}.${domain}`
  const isRequired = peerTls.verifyServerRole ?? hasName(texts.cert, name)
  return { ...texts, isPermissive: peerTls.mode === 'permissive', role: { name, isRequired } }
}

/** If one of the rules is weaker than it should be, a line of the log says so. */
function logRules({ isPermissive, role }: PeerTls, logger: Logger): void {
  if (isPermissive === true) {
    const text =
      'peer_tls.mode is permissive: servers may connect without TLS. Set it to strict as soon as all servers have certificates'
    logger.warn({}, text)
  }
  if (role?.isRequired === true) {
    logger.info(
      { role: role.name },
      `only certificates with the name ${role.name} can act as servers`,
    )
  } else if (role !== undefined) {
    const text = `the server role in certificates is not verified: any certificate of the authority with the name or ID of a node can act as that server. Give all servers certificates with the name ${role.name}`
    logger.warn({ role: role.name }, text)
  }
}
