import { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { PeerTls } from '../peers/tls.ts'
import { hasName, readHttpsTls, readPeerTls } from '../process/pem-files.ts'
import type { HttpsTexts } from '../process/pem-files.ts'

/** Who uses the files, once its port is open. */
export interface CertificateUsers {
  https?: (texts: HttpsTexts) => void
  peers?: (tls: PeerTls) => void
}

export type CertificateConfig = Pick<Config, 'https' | 'peerTls' | 'datacenter' | 'domain'>

/**
 * The certificates and keys that the options of a node name. Throws SvcdError `invalid-option` for files
 * that cannot be used; an agent does not start with them.
 */
export class NodeCertificates {
  readonly users: CertificateUsers = {}
  readonly #config: CertificateConfig
  readonly #logger: Logger
  #https: HttpsTexts | undefined
  #peers: PeerTls | undefined

  constructor(config: CertificateConfig, logger: Logger) {
    this.#config = config
    this.#logger = logger
    this.#https = readHttpsTls(config.https)
    this.#peers = peerTlsOf(config)
    if (this.#peers !== undefined) logRules(this.#peers, logger)
  }

  get https(): HttpsTexts | undefined {
    return this.#https
  }

  get peers(): PeerTls | undefined {
    return this.#peers
  }

  /**
   * Reads the files again. New connections use what has changed. `changed`: the configuration as it is now,
   * of which only the mode of TLS between servers is taken. Returns why files were left out: those that are in
   * use then stay in use.
   */
  reload(changed?: CertificateConfig): readonly string[] {
    const { https, peerTls } = this.#config
    const { mode, verifyServerRole } = (changed ?? this.#config).peerTls
    return [
      ...this.#again('HTTPS', () => {
        const read = readHttpsTls(https)
        if (read === undefined || isSame(read, this.#https)) return false
        this.users.https?.(read)
        this.#https = read
        return true
      }),
      ...this.#again('connections between servers', () => {
        const read = peerTlsOf({ ...this.#config, peerTls: { ...peerTls, mode, verifyServerRole } })
        if (read === undefined || isSame(read, this.#peers)) return false
        this.users.peers?.(read)
        this.#peers = read
        logRules(read, this.#logger)
        return true
      }),
    ]
  }

  #again(what: string, take: () => boolean): readonly string[] {
    try {
      if (take()) this.#logger.info({}, `new connections use the new certificates for ${what}`)
      return []
    } catch (error) {
      if (!(error instanceof SvcdError)) throw error
      this.#logger.error({ reason: error.message }, `keeping the previous certificates for ${what}`)
      return [error.message]
    }
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

/** Neither rule is ever weaker than it should be without a line that says so. */
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
