import { payloadBytesMax } from '../../../state/event/commands.ts'
import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { bytes } from '../../../http/body.ts'
import * as query from '../../../http/query-docs.ts'
import { list, object, orNull, text, whole } from '../../../http/schemas.ts'
import { fire } from './fire.ts'
import { listEvents } from './list.ts'

const eventRow = object({
  ID: text,
  Name: text,
  Payload: orNull({ type: 'string', contentEncoding: 'base64' }),
  NodeFilter: text,
  ServiceFilter: text,
  TagFilter: text,
  Version: whole,
  LTime: whole,
})

const pattern = (description: string) => ({ ...text, description })

/** Of event/list, and of the stream of it. */
export const choiceQuery: query.QueryDocs = {
  name: { ...text, description: 'Return only events of this name' },
  node: pattern(
    'A regular expression: return the events for nodes whose name matches, not those for this agent',
  ),
  service: pattern('A regular expression that the ServiceFilter of the event must match'),
  tag: pattern('A regular expression that the TagFilter of the event must match'),
}

/** event/*: user events. */
export const eventEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'PUT',
    path: '/v1/event/fire/{name}',
    permission: { resource: 'event', access: 'write', name: 'argument' },
    summary: 'Fire a user event; the body is its payload',
    query: {
      node: pattern('A regular expression: only for agents whose node name matches'),
      service: pattern('A regular expression: only for agents with a service whose name matches'),
      tag: pattern('With service, a regular expression: the service must have a tag that matches'),
      ...query.dc,
      ...query.pretty,
    },
    body: bytes({ type: 'string', format: 'binary' }, payloadBytesMax),
    answer: eventRow,
    errors: [413, 501, 503],
    handle: fire,
  }),
  endpoint({
    method: 'GET',
    path: '/v1/event/list',
    permission: { filteredBy: [{ resource: 'event', access: 'read' }] },
    summary: 'List the last 256 events for this agent, the oldest first',
    query: {
      ...choiceQuery,
      index: {
        type: 'integer',
        minimum: 0,
        description: 'The X-Consul-Index of the last answer: wait until there is another event',
      },
      ...query.wait,
      ...query.dc,
      ...query.pretty,
    },
    answer: list(eventRow),
    handle: listEvents,
  }),
]
