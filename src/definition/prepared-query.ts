import type { QueryDefinition } from '../state/query/model.ts'
import { checkBytes, queryBytesMax } from './sizes.ts'
import { queryNameMax } from '../state/query/model.ts'
import { flag, integer, listOf, mapOf, object, text } from './decode.ts'
import type { Decoded, Reader } from './decode.ts'
import { onlyDefault } from './shapes.ts'
import { checkedName } from './validate.ts'

const failover = {
  NearestN: integer,
  Datacenters: listOf(text),
}

const service = {
  Service: text,
  SamenessGroup: onlyDefault,
  Partition: onlyDefault,
  Namespace: onlyDefault,
  Peer: onlyDefault,
  Failover: object(failover),
  OnlyPassing: flag,
  IgnoreCheckIDs: listOf(text),
  Near: text,
  Tags: listOf(text),
  NodeMeta: mapOf(text),
  ServiceMeta: mapOf(text),
  Connect: flag,
}

/** POST query and PUT query/:id. What a read returns may be sent back. */
export const preparedQueryShape = object({
  ID: text,
  Name: text,
  Session: text,
  Token: text,
  Template: object({ Type: text, Regexp: text, RemoveEmptyTags: flag }),
  Service: object(service),
  DNS: object({ TTL: text }),
  CreateIndex: integer,
  ModifyIndex: integer,
})

export type PreparedQueryBody = typeof preparedQueryShape extends Reader<infer T> ? T : never

/** The definition in a body; the ID is not part of it. Throws `invalid-field` for an unusable name. */
export function queryDefinition(body: PreparedQueryBody): QueryDefinition {
  const { Template: template = {}, Service: given = {} } = body
  checkBytes('query', JSON.stringify(body), queryBytesMax)
  return {
    name: checkedName(body.Name ?? '', 'Name', queryNameMax),
    session: body.Session ?? '',
    token: body.Token ?? '',
    template: {
      type: template.Type ?? '',
      regexp: template.Regexp ?? '',
      removeEmptyTags: template.RemoveEmptyTags ?? false,
    },
    service: serviceQuery(given),
    dns: { ttl: body.DNS?.TTL ?? '' },
  }
}

function serviceQuery(given: Decoded<typeof service>): QueryDefinition['service'] {
  return {
    service: given.Service ?? '',
    failover: {
      nearestN: given.Failover?.NearestN ?? 0,
      datacenters: given.Failover?.Datacenters ?? null,
    },
    onlyPassing: given.OnlyPassing ?? false,
    ignoreCheckIds: given.IgnoreCheckIDs ?? null,
    near: given.Near ?? '',
    tags: given.Tags ?? null,
    nodeMeta: given.NodeMeta ?? null,
    serviceMeta: given.ServiceMeta ?? null,
    connect: given.Connect ?? false,
  }
}
