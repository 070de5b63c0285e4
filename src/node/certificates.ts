import { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import { readHttpsTls, readPeerTls } from '../process/pem-files.ts'
import type { HttpsTexts, PemTexts } from '../process/pem-files.ts'

/** Who uses the files, once its port is open. Throws when OpenSSL refuses them. */
export interface CertificateUsers {
  https?: (texts: HttpsTexts) => void
  peers?: (texts: PemTexts) => void
}

/**
 * The certificates and keys that the options of a node name. Throws SvcdError `invalid-option` for files
 * that cannot be used; an agent does not start with them.
 */
export class NodeCertificates {
  readonly users: CertificateUsers = {}
  readonly #config: Pick<Config, 'https' | 'peerTls'>
  readonly #logger: Logger
  #https: HttpsTexts | undefined
  #peers: PemTexts | undefined

  constructor(config: Pick<Config, 'https' | 'peerTls'>, logger: Logger) {
    this.#config = config
    this.#logger = logger
    this.#https = readHttpsTls(config.https)
    this.#peers = readPeerTls(config.peerTls)
  }

  get https(): HttpsTexts | undefined {
    return this.#https
  }

  get peers(): PemTexts | undefined {
    return this.#peers
  }

  /**
   * Reads the files again. New connections use what has changed. Returns why files were left out: those that
   * are in use then stay in use.
   */
  reload(): readonly string[] {
    const { https, peerTls } = this.#config
    return [
      ...this.#again('HTTPS', () => {
        const read = readHttpsTls(https)
        if (read === undefined || isSame(read, this.#https)) return false
        this.users.https?.(read)
        this.#https = read
        return true
      }),
      ...this.#again('connections between servers', () => {
        const read = readPeerTls(peerTls)
        if (read === undefined || isSame(read, this.#peers)) return false
        this.users.peers?.(read)
        this.#peers = read
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

function isSame(a: HttpsTexts, b: HttpsTexts | undefined): boolean {
  return a.cert === b?.cert && a.key === b.key && a.ca === b.ca
}
