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

/** True: it was done. False: another session holds the lock, this one does not, or no session may have it yet. */
export async function proposeLock(
  context: Pick<ApiContext, 'writes' | 'sessions' | 'families'>,
  request: Asked,
  reply: FastifyReply,
  body: LockCommand,
): Promise<FastifyReply> {
  const { key, session } = body
  const leftMs = body.kind === 'kv-acquire' ? await lockDelayLeftMs(context, key) : 0
  if (leftMs > 0) {
    addDelay(reply, leftMs)
    return sendJson(request, reply, false)
  }
  const { writes, sessions } = context
  const cause = `${body.kind} ${key}`.slice(0, causeLengthMax)
  const outcome = await writes.propose(body, originOf(request, cause))
  if (!outcome.ok) throw svcdError('lock-session-unknown', { id: session })
  if (outcome.value === 'lock-delay') await askDelay(reply, sessions, key)
  return sendJson(request, reply, outcome.value === undefined)
}

async function askDelay(reply: FastifyReply, sessions: Sessions, key: string): Promise<void> {
  try {
    addDelay(reply, await sessions.lockDelayMs(key))
  } catch (error) {
    // The refusal stands without it.
    if (!(error instanceof SvcdError)) throw error
  }
}

function addDelay(reply: FastifyReply, delayMs: number): void {
  reply.header(delayHeader, formatDuration(Math.ceil(delayMs)))
}
