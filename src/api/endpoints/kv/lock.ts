import type { FastifyReply } from 'fastify'
import { formatDuration } from '../../../base/duration.ts'
import { SvcdError, svcdError } from '../../../base/errors.ts'
import type { Sessions } from '../../../ports/sessions.ts'
import type { KvAcquireCommand, KvReleaseCommand } from '../../../state/session/commands.ts'
import type { ApiContext } from '../../context.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import { sendJson } from '../../../http/reply.ts'
import { sessionIdOf } from '../session/session-id.ts'
import { lockDelayLeftMs } from './lock-delay.ts'

type LockCommand = KvAcquireCommand | KvReleaseCommand

const causeLengthMax = 100
/**
 * A lock-delay of a millisecond, as Patroni asks for, lasts longer in a log: until its end is an entry. So a
 * request waits for an end that is near. It would be refused otherwise, and come back seconds later.
 */
const awaitedMs = 300
const triesMax = 4
/** The header that says how long no session may lock the key yet, as a duration. */
const delayHeader = 'X-Svcd-Lock-Delay'

/**
 * The command of a PUT with `acquire` or `release`; undefined for a PUT without them. Throws
 * `lock-without-session`, `session-id-invalid`.
 */
export function lockCommand(
  parameters: Parameters,
  asked: Omit<LockCommand, 'kind' | 'session'>,
): LockCommand | undefined {
  const acquire = parameter(parameters, 'acquire')
  if (acquire !== undefined) {
    if (acquire === '') throw svcdError('lock-without-session', { name: 'acquire' })
    return { kind: 'kv-acquire', ...asked, session: sessionIdOf(acquire) }
  }
  const release = parameter(parameters, 'release')
  if (release === undefined) return undefined
  if (release === '') throw svcdError('lock-without-session', { name: 'release' })
  // Who is not a session holds no lock: Consul does not look whether there is one.
  return { kind: 'kv-release', ...asked, session: release.toLowerCase() }
}

/** True: it was done. False: another session holds the lock, this one does not, or no session may have it for a while. */
export async function proposeLock(
  context: Pick<ApiContext, 'writes' | 'sessions' | 'families'>,
  request: Asked,
  reply: FastifyReply,
  body: LockCommand,
): Promise<FastifyReply> {
  const { writes, sessions } = context
  const { key, session } = body
  const cause = `${body.kind} ${key}`.slice(0, causeLengthMax)
  for (let tries = 1; ; tries++) {
    const knownMs = body.kind === 'kv-acquire' ? await lockDelayLeftMs(context, key) : 0
    if (knownMs === 0) {
      const outcome = await writes.propose(body, originOf(request, cause))
      if (!outcome.ok) throw svcdError('lock-session-unknown', { id: session })
      if (outcome.value !== 'lock-delay')
        return sendJson(request, reply, outcome.value === undefined)
    }
    // This server may not know yet of the lock-delay that refused it.
    const delayMs = knownMs > 0 ? knownMs : await lockDelayMs(sessions, key)
    if (delayMs === undefined || delayMs > awaitedMs || tries === triesMax) {
      if (delayMs !== undefined) reply.header(delayHeader, formatDuration(Math.ceil(delayMs)))
      return sendJson(request, reply, false)
    }
    if (delayMs > 0) await sleep(delayMs)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

async function lockDelayMs(sessions: Sessions, key: string): Promise<number | undefined> {
  try {
    return await sessions.lockDelayMs(key)
  } catch (error) {
    // The refusal stands without it.
    if (!(error instanceof SvcdError)) throw error
    return undefined
  }
}
