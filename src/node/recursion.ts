import type { Config } from '../config/options.ts'
import { parseRecursor } from '../config/recursors.ts'
import { readAuthority } from '../process/pem-files.ts'
import type { RecursionOptions } from '../resolver/recursion/recursor-worker.ts'

const mebibyte = 1024 * 1024

/** Undefined: no server is named that answers for other names. Throws `invalid-option` for the file of authorities. */
export function recursionOf(
  config: Pick<Config, 'recursors' | 'recursionAllow' | 'dns'>,
): RecursionOptions | undefined {
  const servers = config.recursors.map(parseRecursor).filter((server) => server !== undefined)
  if (servers.length === 0) return undefined
  const { dns } = config
  const ca = dns.recursorCaFile
  return {
    servers,
    strategy: dns.recursorStrategy,
    timeoutMs: dns.recursorTimeoutSeconds * 1000,
    ca: ca === undefined ? undefined : [readAuthority(ca, '-recursor-ca-file')],
    cacheBytesMax: dns.recursorCacheMb * mebibyte,
    allow: config.recursionAllow,
  }
}
