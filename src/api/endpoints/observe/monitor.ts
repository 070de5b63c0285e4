import { svcdError } from '../../../base/errors.ts'
import type { LogLevel } from '../../../base/log.ts'
import { endpoint } from '../../context.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import { lineStream } from '../../../http/schemas.ts'

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
export const monitorEndpoint = endpoint({
  method: 'GET',
  path: '/v1/agent/monitor',
  permission: { resource: 'agent', access: 'read', name: 'own-node' },
  audited: {},
  summary: 'Stream the log of this agent line by line, starting now',
  query: {
    loglevel: { type: 'string', description: 'trace, debug, info (the default), warn or error' },
    logjson: { type: 'boolean', description: 'Send one JSON object per line' },
    heartbeat: { type: 'boolean', description: 'Send an empty line every 15 s' },
  },
  media: lineStream,
  errors: [403, 503],
  isForPages: false,
  async handle({ log, lines, tokenStreams }, request, reply) {
    const level = levelOf(request.query)
    const { logjson, heartbeat } = request.query
    const json = logjson !== undefined
    const type = json ? 'application/x-ndjson' : 'text/plain; charset=utf-8'
    if (request.method === 'HEAD') {
      return reply.header('Content-Type', type).header('X-Content-Type-Options', 'nosniff').send()
    }
    if (reply.raw.destroyed) return reply.hijack()
    tokenStreams.followLines(request, reply.raw)
    return lines.open(reply, type, {
      dropped: (count) => droppedLine(count, json),
      hasBeat: heartbeat !== undefined,
      feed: (stream) => log.followLog({ level, json, write: (line) => stream.write(line) }),
    })
  },
})

function levelOf(parameters: Parameters): LogLevel {
  const asked = parameter(parameters, 'loglevel') ?? ''
  const level = levels[asked === '' ? 'INFO' : asked.toUpperCase()]
  if (level !== undefined) return level
  throw svcdError('unknown-log-level', { level: asked })
}

/** Consul's words for it, in the form of the lines around it. */
function droppedLine(count: number, json: boolean): string {
  const time = new Date().toISOString()
  const msg = `Monitor dropped ${count} logs during monitor request`
  if (json) return `${JSON.stringify({ level: 40, time, dropped: count, msg })}\n`
  return `${time} [WARN]  ${msg}\n`
}
