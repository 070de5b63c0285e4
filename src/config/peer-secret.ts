import { isLoopbackIp, parseIp } from '../base/ip.ts'
import type { Config } from './options.ts'

/** The cluster's secret as the options say it. */
export interface ClusterSecret {
  readonly keys: readonly Uint8Array[]
  /** False: while it is being introduced. */
  readonly isRequired: boolean
}

/** The keys behind `-encrypt`, which was checked. Undefined: there is no secret. */
export function peerSecret({
  encrypt,
  encryptVerify,
}: Pick<Config, 'encrypt' | 'encryptVerify'>): ClusterSecret | undefined {
  if (encrypt.length === 0) return undefined
  return {
    keys: encrypt.map((key) => new Uint8Array(Buffer.from(key, 'base64'))),
    isRequired: encryptVerify,
  }
}

/** What the log says at the start where everybody may speak as a server. */
export function openPortWarning(
  config: Pick<Config, 'bindAddress' | 'encrypt' | 'encryptVerify' | 'peerTls' | 'ports'>,
): string | undefined {
  const { bindAddress, encrypt, encryptVerify, peerTls, ports } = config
  const bind = parseIp(bindAddress)
  const isStrict = peerTls.certFile !== undefined && peerTls.mode === 'strict'
  if (bind === undefined || isLoopbackIp(bind) || isStrict) return undefined
  if (encrypt.length > 0 && encryptVerify) return undefined
  const port = ports.server === 0 ? 'the port for other servers' : `port ${ports.server}`
  const cure =
    peerTls.certFile !== undefined
      ? 'set -peer-tls-mode=strict as soon as all servers have certificates'
      : encrypt.length > 0
        ? 'remove -encrypt-verify=false as soon as all servers have the cluster secret'
        : 'give all servers the same -encrypt key (`svcd keygen` prints one), or certificates'
  return `anyone who can reach ${port} on ${bindAddress} can act as a server of this cluster: ${cure}`
}
