import type { PreparedQuery, ServiceQuery } from '../../../state/query/model.ts'

/** Consul's PreparedQuery. Lists and maps that were not given are null: Go's clients compare with what they sent. */
export function queryJson(query: PreparedQuery) {
  const { template, dns } = query
  return {
    ID: query.id,
    Name: query.name,
    Session: query.session,
    Token: query.token,
    Template: {
      Type: template.type,
      Regexp: template.regexp,
      RemoveEmptyTags: template.removeEmptyTags,
    },
    Service: serviceJson(query.service),
    DNS: { TTL: dns.ttl },
    CreateIndex: query.createIndex,
    ModifyIndex: query.modifyIndex,
  }
}

function serviceJson(service: ServiceQuery) {
  return {
    Service: service.service,
    Failover: {
      NearestN: service.failover.nearestN,
      Datacenters: service.failover.datacenters,
    },
    OnlyPassing: service.onlyPassing,
    IgnoreCheckIDs: service.ignoreCheckIds,
    Near: service.near,
    Tags: service.tags,
    NodeMeta: service.nodeMeta,
    ServiceMeta: service.serviceMeta,
    Connect: service.connect,
  }
}
