import { endpoint } from '../../context.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { list, map, object, orNull, text, whole } from '../../../http/schemas.ts'
import type { HealthSeries, Recorded } from '../../../ports/history.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { Viewer } from '../../../access/viewer.ts'

const values = list(orNull({ type: 'number' }))
const health = object({ Passing: values, Warning: values, Critical: values, Maintenance: values })
const span = { StepSeconds: whole, End: { type: 'string', format: 'date-time' } }

/** agent/history and health/history: the last hour, a value per ten seconds; svcd's own. */
export const historyEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/agent/history',
    permission: { resource: 'agent', access: 'read', name: 'own-node' },
    summary: 'Read what this agent recorded in the last hour',
    query: query.pretty,
    answer: object({
      ...span,
      Questions: map(values),
      Requests: object({ All: values, ClientErrors: values, ServerErrors: values }),
      Lag: map(values),
      Health: health,
      Flapping: list(object({ Service: text, Changes: whole })),
    }),
    async handle({ history, catalog, callerOf }, request, reply) {
      const recorded = history.lastHour()
      const { questions, requests, lag, health: all } = recorded.series
      const viewer = new Viewer(callerOf(request))
      const flapping = catalog.read((reader) =>
        history.flapping().flatMap(({ key, turns: Changes }) => {
          const Service = seesHealthOf(reader, viewer, key)
          return Service === undefined ? [] : [{ Service, Changes }]
        }),
      )
      if (viewer.hasHidden) tellFiltered(request, reply)
      return sendJson(request, reply, {
        ...spanJson(recorded),
        Questions: questions,
        Requests: {
          All: requests.all,
          ClientErrors: requests.clientErrors,
          ServerErrors: requests.serverErrors,
        },
        Lag: lag,
        Health: healthJson(all),
        Flapping: flapping,
      })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/history/{service}',
    permission: nodeAndService.read,
    summary: 'Read the health of a service in the last hour, as this agent saw it',
    query: query.pretty,
    answer: object({ ...span, Service: text, Health: orNull(health) }),
    async handle({ history, catalog, callerOf }, request, reply) {
      const key = request.params.toLowerCase()
      const viewer = new Viewer(callerOf(request))
      const name = catalog.read((reader) => seesHealthOf(reader, viewer, key))
      const recorded = name === undefined ? undefined : history.ofService(key)
      if (viewer.hasHidden) tellFiltered(request, reply)
      return sendJson(request, reply, {
        ...spanJson(recorded ?? history.lastHour()),
        Service: name ?? '',
        Health: recorded === undefined ? null : healthJson(recorded.series),
      })
    },
  }),
]

/**
 * The name of a service, if the viewer may see how many of its instances are in which health: they are counted on all
 * nodes and under all spellings of the name.
 */
function seesHealthOf(catalog: CatalogReader, viewer: Viewer, key: string): string | undefined {
  const names = catalog.spellingsOf(key).toSorted()
  if (!viewer.caller.rights.allowsAll('node', 'read')) viewer.hide()
  else if (names.every((name) => viewer.sees('service', name))) return names[0]
  return undefined
}

function spanJson({ stepMs, endMs }: Recorded<unknown>) {
  return { StepSeconds: stepMs / 1000, End: new Date(endMs).toISOString() }
}

function healthJson({ passing, warning, critical, maintenance }: HealthSeries) {
  return { Passing: passing, Warning: warning, Critical: critical, Maintenance: maintenance }
}
