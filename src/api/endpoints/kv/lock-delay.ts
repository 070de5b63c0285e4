import { sessionFamily } from '../../../state/session/family.ts'
import type { ApiContext } from '../../context.ts'

/**
 * How long no session may lock a key yet, in milliseconds, as the leader says now; 0 if this server knows of no
 * lock-delay. Many programs ask for a lock again and again while a lock-delay runs, so they are refused before
 * they write to the log, as in Consul. Rejects with `no-leader`.
 */
export async function lockDelayLeftMs(
  { families, sessions }: Pick<ApiContext, 'families' | 'sessions'>,
  key: string,
): Promise<number> {
  const isReserved = families.of(sessionFamily).read((reader) => reader.isReserved(key))
  return isReserved ? sessions.lockDelayMs(key) : 0
}
