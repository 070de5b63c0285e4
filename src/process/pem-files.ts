import { readFileSync } from 'node:fs'
import { reasonOf, svcdError } from '../base/errors.ts'

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
 * `invalid-option` for a file that cannot be read.
 */
export function readPeerTls({ certFile, keyFile, caFile }: PemFiles): PemTexts | undefined {
  if (certFile === undefined || keyFile === undefined || caFile === undefined) return undefined
  return {
    cert: read(certFile, '-peer-cert-file'),
    key: read(keyFile, '-peer-key-file'),
    ca: read(caFile, '-peer-ca-file'),
  }
}

/** What checks over TLS trust and show. Throws as {@link readPeerTls} does. */
export function readCheckTls({ caFile, certFile, keyFile }: PemFiles): Partial<PemTexts> {
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
