import type { Sessions } from '../ports/sessions.ts'
import type { Session } from '../state/session/model.ts'
import type { Replica } from './replica.ts'

interface Waiting {
  readonly id: string
  readonly resolve: (session: Session | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Of one request to the leader. */
const renewalsMax = 1000

/** Sessions, as the leader answers for them. Renewals of one turn of the event loop are one request. */
export function sessionsAtLeader(replica: Pick<Replica, 'operate'>): Sessions {
  let waiting: Waiting[] = []
  const send = (): void => {
    const all = waiting
    waiting = []
    for (let at = 0; at < all.length; at += renewalsMax) {
      void renewAll(replica, all.slice(at, at + renewalsMax))
    }
  }
  return {
    renew: (id) =>
      new Promise((resolve, reject) => {
        if (waiting.push({ id, resolve, reject }) === 1) setImmediate(send)
      }),
    lockDelayMs: async (key) => Number(await replica.operate({ kind: 'lock-delay', key })),
  }
}

async function renewAll(
  replica: Pick<Replica, 'operate'>,
  waiting: readonly Waiting[],
): Promise<void> {
  try {
    const ids = waiting.map(({ id }) => id)
    const answer = await replica.operate({ kind: 'renew-sessions', ids })
    const sessions = JSON.parse(answer) as readonly (Session | null)[]
    for (const [at, { resolve }] of waiting.entries()) resolve(sessions[at] ?? undefined)
  } catch (error) {
    for (const { reject } of waiting) reject(error)
  }
}
