import { instanceRow } from '../../../http/row-schemas.ts'
import {
  flag,
  list,
  object,
  orNull,
  schemaNamed,
  text,
  textMap,
  texts,
  whole,
} from '../../../http/schemas.ts'

export const queryRow = schemaNamed(
  'PreparedQuery',
  object({
    ID: text,
    Name: text,
    Session: text,
    Token: text,
    Template: object({ Type: text, Regexp: text, RemoveEmptyTags: flag }),
    Service: object({
      Service: text,
      Failover: object({ NearestN: whole, Datacenters: orNull(texts) }),
      OnlyPassing: flag,
      IgnoreCheckIDs: orNull(texts),
      Near: text,
      Tags: orNull(texts),
      NodeMeta: orNull(textMap),
      ServiceMeta: orNull(textMap),
      Connect: flag,
    }),
    DNS: object({ TTL: text }),
    CreateIndex: whole,
    ModifyIndex: whole,
  }),
)

const answerMeta = {
  Index: whole,
  LastContact: whole,
  KnownLeader: flag,
  ConsistencyLevel: text,
}

export const executed = object({
  Service: text,
  Nodes: list(instanceRow),
  DNS: object({ TTL: text }),
  Datacenter: text,
  Failovers: whole,
  ...answerMeta,
})

export const explained = object({ Query: queryRow, ...answerMeta })
