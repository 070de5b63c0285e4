import { readFileSync } from 'node:fs'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { Config } from '../config/options.ts'
import type { ProbeCredentials } from '../probes/result.ts'
import type { ReplicaSettings } from '../replica/messages.ts'

/** The PEM texts behind the options. Throws SvcdError `invalid-option` for a file that cannot be read. */
export function readPeerTls(options: Config['peerTls']): ReplicaSettings['tls'] {
  const { certFile, keyFile, caFile } = options
  if (certFile === undefined || keyFile === undefined || caFile === undefined) return undefined
  return {
    cert: read(certFile, '-peer-cert-file'),
    key: read(keyFile, '-peer-key-file'),
    ca: read(caFile, '-peer-ca-file'),
  }
}

/** What checks over TLS trust and show. Throws as {@link readPeerTls} does. */
export function readCheckTls({ caFile, certFile, keyFile }: Config['checks']): ProbeCredentials {
  return {
    ...(caFile !== undefined && { ca: read(caFile, '-check-ca-file') }),
    ...(certFile !== undefined && { cert: read(certFile, '-check-cert-file') }),
    ...(keyFile !== undefined && { key: read(keyFile, '-check-key-file') }),
  }
}

function read(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw svcdError('invalid-option', { option, reason: reasonOf(error) }, error)
  }
}
