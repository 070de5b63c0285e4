import { randomUUID } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { invisibleCharacter } from '../../../base/invisible.ts'
import { nameBytesMax } from '../../../state/event/commands.ts'
import { eventFamily } from '../../../state/event/family.ts'
import type { ApiContext } from '../../context.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import { sendJson } from '../../../http/reply.ts'
import { filterOf } from './choice.ts'
import { eventJson } from './event-json.ts'
import { targetsOf } from './targets.ts'

/** The event with which `consul exec` asks agents to run a command. */
const remoteExecution = '_rexec'

/** Answers with the event when it is in the log, and the readers of this server have it. */
export async function fire(
  context: ApiContext,
  request: Asked<Buffer | undefined>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { query: parameters, params: name, body } = request
  readOptions(parameters, context.identity)
  refuseName(name)
  const [node, service, tag] = (['node', 'service', 'tag'] as const).map((kind) =>
    filterOf(parameters, kind),
  )
  if (tag !== undefined && service === undefined) throw svcdError('tag-without-service', {})
  const nodes = await targetsOf(context, { node, service, tag })
  const event = {
    id: randomUUID(),
    name,
    nodeFilter: node?.text ?? '',
    serviceFilter: service?.text ?? '',
    tagFilter: tag?.text ?? '',
    nodes,
  }
  const payload = body ?? Buffer.alloc(0)
  await context.writes.propose(
    { kind: 'event-fire', ...event, payload: payload.toString('base64') },
    originOf(request, `event-fire ${name}`.slice(0, 100)),
  )
  const fired = context.families.of(eventFamily).read((reader) => reader.withId(event.id))
  return sendJson(request, reply, eventJson(fired ?? { ...event, payload, ltime: 0 }))
}

/** Throws `missing-name`, `invalid-event-name`, `not-built`. */
function refuseName(name: string): void {
  if (name === '') throw svcdError('missing-name', { what: 'name' })
  if (name === remoteExecution) {
    const path = `/v1/event/fire/${name}`
    throw svcdError('not-built', { what: 'remote execution (consul exec)', path })
  }
  const found = invisibleCharacter(name)
  const size = Buffer.byteLength(name)
  const reason =
    found !== undefined
      ? `it contains the invisible character ${found}`
      : size > nameBytesMax && `it has ${size} bytes, and at most ${nameBytesMax} are allowed`
  if (reason !== false) throw svcdError('invalid-event-name', { name, reason })
}
