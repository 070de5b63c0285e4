import type { CookieSecrets } from '../../dns/protection/server-cookie.ts'
import { dnsCookieFamily } from '../../state/dns-cookie/family.ts'
import type { DnsCookieRow } from '../../state/dns-cookie/tables.ts'
import type { FamilyVersions } from '../../state/machine/versions.ts'
import type { StateReader } from '../../storage/state.ts'

/** How long cookies of the secret before the present one are accepted: as long as any cookie (RFC 9018 §4.3). */
const previousSeconds = 3600

/**
 * The secrets as this server has applied them; read again when they have changed. `endRead` ends a read
 * transaction that may have begun before the change.
 */
export function cookieSecrets(
  reader: StateReader,
  versions: FamilyVersions,
  endRead: () => void,
): () => CookieSecrets | undefined {
  const stored = reader.of(dnsCookieFamily)
  let secrets: CookieSecrets | undefined
  let seen: { readonly applied: number; readonly generation: number } | undefined
  return () => {
    // Loaded before the row is read: a change in between is then noticed by the next query.
    const { applied, generation } = versions
    if (seen?.applied === applied && seen.generation === generation) return secrets
    endRead()
    secrets = secretsOf(stored.stored())
    seen = { applied, generation }
    return secrets
  }
}

function secretsOf(row: DnsCookieRow | undefined): CookieSecrets | undefined {
  if (row === undefined) return undefined
  const current = Buffer.from(row.secret, 'hex')
  if (row.previous === '') return { current }
  const untilSeconds = row.rotated_ms / 1000 + previousSeconds
  return { current, previous: { secret: Buffer.from(row.previous, 'hex'), untilSeconds } }
}
