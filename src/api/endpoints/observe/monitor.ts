import type { FastifyInstance, FastifyRequest } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import type { LogLevel } from '../../../base/log.ts'
import type { Backend } from '../../../ports/backend.ts'
import type { LineStreams } from '../../streams/line-streams.ts'
import { parameter, parametersOf } from '../../http/parameters.ts'
import { addRoute } from '../../http/route.ts'
import type { Handler } from '../../http/route.ts'

/** Consul's names of levels, without regard to case. There are no lines below debug. */
const levels: Readonly<Record<string, LogLevel>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERR: 'error',
  ERROR: 'error',
}

/** agent/monitor: the log of this agent from now on, whatever level it logs itself. */
export function addMonitorRoute(
  app: FastifyInstance,
  { backend, lines }: { readonly backend: Backend; readonly lines: LineStreams },
): void {
  const handle: Handler = async (request, reply) => {
    const level = levelOf(request)
    const { logjson, heartbeat } = parametersOf(request)
    const json = logjson !== undefined
    const type = json ? 'application/x-ndjson' : 'text/plain; charset=utf-8'
    if (request.method === 'HEAD') return reply.header('Content-Type', type).send()
    if (reply.raw.destroyed) return reply.hijack()
    return lines.open(reply, type, {
      dropped: (count) => droppedLine(count, json),
      hasBeat: heartbeat !== undefined,
      feed: (stream) => backend.followLog({ level, json, write: (line) => stream.write(line) }),
    })
  }
  addRoute(app, 'GET', '/v1/agent/monitor', handle, { isForPages: false })
}

function levelOf(request: FastifyRequest): LogLevel {
  const asked = parameter(parametersOf(request), 'loglevel') ?? ''
  const level = levels[asked === '' ? 'INFO' : asked.toUpperCase()]
  if (level !== undefined) return level
  const known = 'trace, debug, info, warn or error'
  throw svcdError('invalid-request', { reason: `Unknown log level: ${asked}. Use ${known}.` })
}

/** Consul's words for it, in the form of the lines around it. */
function droppedLine(count: number, json: boolean): string {
  const time = new Date().toISOString()
  const msg = `Monitor dropped ${count} logs during monitor request`
  if (json) return `${JSON.stringify({ level: 40, time, dropped: count, msg })}\n`
  return `${time} [WARN]  ${msg}\n`
}
