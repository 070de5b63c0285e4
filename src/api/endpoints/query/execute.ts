import type { FastifyReply } from 'fastify'
import type { Caller } from '../../../access/caller.ts'
import { Viewer } from '../../../access/viewer.ts'
import { SvcdError, svcdError } from '../../../base/errors.ts'
import { parseIp } from '../../../base/ip.ts'
import { randomBelow } from '../../../base/random.ts'
import type { Random } from '../../../base/random.ts'
import { chooserOf, nearFirst } from '../../../prepared-query/choose.ts'
import { Queries } from '../../../prepared-query/queries.ts'
import type { Instance } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { queryFamily } from '../../../state/query/family.ts'
import type { PreparedQuery } from '../../../state/query/model.ts'
import type { QueryReader } from '../../../state/query/reader.ts'
import type { ApiContext } from '../../context.ts'
import type { Answer } from '../../../http/answer.ts'
import { addReadHeaders, reach } from '../../../http/consistency.ts'
import type { Asked } from '../../../http/endpoint.ts'
import { instanceJson } from '../../../http/encode.ts'
import { addressOf } from '../../../http/origin.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import type { Consistency } from '../../../http/parameters.ts'
import { writeFor } from '../../../http/long-answers.ts'
import { sendBody, sendJson } from '../../../http/reply.ts'
import { mustAllow, tellFiltered } from '../../../http/requesters.ts'
import { queryJson } from './encode.ts'
import { connectOf, limitOf } from './parameters.ts'
import { hasRules, mayRead, withoutToken } from './rights.ts'

/** One for a reader, because it keeps what it has compiled. */
const books = new WeakMap<QueryReader, Queries>()

function bookOf(reader: QueryReader): Queries {
  const known = books.get(reader)
  if (known !== undefined) return known
  const book = new Queries(reader)
  books.set(reader, book)
  return book
}

/** The query of an ID or a name, rendered. Throws `query-not-found` and the faults of templates. */
function findQuery({ families }: ApiContext, name: string): PreparedQuery {
  const { found } = families.of(queryFamily).read((reader) => bookOf(reader).find(name))
  switch (found.kind) {
    case 'query':
      return found.query
    case 'template-by-id':
      throw svcdError('query-template-by-id', {})
    case 'fault':
      throw svcdError('query-not-rendered', { reason: found.reason })
    case 'nothing':
      throw svcdError('query-not-found', { name })
  }
}

/** query/{query}/execute: the chosen instances, in random order but for the near ones. */
export async function execute(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { query: parameters, params: name } = request
  const { identity, catalog, random, freshness } = context
  const { consistency } = readOptions(parameters, identity)
  const [limit, connect] = [limitOf(parameters), connectOf(parameters)]
  await reach(context, consistency)
  const query = findQuery(context, name)
  const viewer = new Viewer(callerFor(query, context, request))
  const near = parameter(parameters, 'near') ?? ''
  const chosen: Chosen = {
    query: connect ? { ...query, service: { ...query.service, connect } } : query,
    near: near === '' ? query.service.near : near,
    limit,
    client: addressOf(request),
    random,
  }
  const meta = metaOf(context, consistency)
  const answer = (reader: CatalogReader): Answer => ({
    kind: 'object',
    fields: [
      ['Service', value(query.service.service)],
      ['Nodes', { kind: 'list', rows: rows(reader, chosen, context, viewer) }],
      ['DNS', value({ TTL: query.dns.ttl })],
      ['Datacenter', value(identity.datacenter)],
      // There is no other datacenter that it could fail over to.
      ['Failovers', value(0)],
      ...Object.entries(meta).map(([name, of]) => [name, value(of)] as const),
    ],
  })
  const body = await writeFor(context, request, reply, catalog, answer)
  addHeaders(reply, parameters)
  addReadHeaders(reply, freshness, consistency, 1)
  if (viewer.hasHidden) tellFiltered(request, reply)
  return sendBody(request, reply, body)
}

/** A query with a token acts by the rights of that token. Throws `query-token-gone`, not the error for the token of the request. */
function callerFor(
  { token, name, id }: PreparedQuery,
  context: ApiContext,
  request: Asked,
): Caller {
  if (token === '') return context.requesterNow(request).caller
  try {
    return context.callerWith(token)
  } catch (error) {
    const isGone = error instanceof SvcdError && error.code === 'acl-not-found'
    throw isGone ? svcdError('query-token-gone', { name: name === '' ? id : name }) : error
  }
}

/** query/{query}/explain: the query that a name finds, rendered. */
export async function explain(
  context: ApiContext,
  request: Asked,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { query: parameters, params: name } = request
  const { consistency } = readOptions(parameters, context.identity)
  await reach(context, consistency)
  const found = findQuery(context, name)
  const requester = context.requesterNow(request)
  const { rights } = requester.caller
  // Unlike its definition, its name is nothing that one has to know to be allowed.
  if (!hasRules(found)) mustAllow(requester, { resource: 'acl', name: '', access: 'write' })
  if (!mayRead(found, rights)) {
    mustAllow(requester, { resource: 'query', name: found.name, access: 'read' })
  }
  const query = withoutToken(found, rights)
  addReadHeaders(reply, context.freshness, consistency, 1)
  return sendJson(request, reply, { Query: queryJson(query), ...metaOf(context, consistency) })
}

function value(of: unknown) {
  return { kind: 'value', value: of } as const
}

/** What Consul repeats of its headers. */
function metaOf({ freshness }: ApiContext, consistency: Consistency) {
  const isStale = consistency === 'stale'
  return {
    Index: 0,
    // Go's durations are nanoseconds.
    LastContact: isStale ? Math.round(freshness.lastContactMs() * 1e6) : 0,
    KnownLeader: !isStale || freshness.leader() !== '',
    ConsistencyLevel: consistency,
  }
}

function addHeaders(reply: FastifyReply, parameters: Asked['query']): void {
  if (parameters['cached'] !== undefined) reply.header('X-Cache', 'HIT').header('Age', '0')
}

interface Chosen {
  readonly query: PreparedQuery
  /** A node, `_agent`, or `_ip` for that of the client. */
  readonly near: string
  /** 0 = all. */
  readonly limit: number
  readonly client: string
  readonly random: Random
}

/** A row left out for each instance that is looked at, so that others get their turn, and then the chosen ones. */
function* rows(
  catalog: CatalogReader,
  chosen: Chosen,
  { identity }: ApiContext,
  viewer: Viewer,
): Generator<object | undefined, void> {
  const { query, limit, random } = chosen
  const choose = chooserOf(query.service)
  const found: Instance[] = []
  for (const instance of catalog.pages.instances(query.service.service)) {
    const { node, service } = instance
    const isSeen = viewer.seesInstance(node.name, service.name)
    if (isSeen && choose(instance, () => instance.node.meta) !== undefined) found.push(instance)
    yield undefined
  }
  shuffle(found, random)
  const near = nearNode(catalog, chosen, identity.nodeName)
  const { ordered } = nearFirst(found, ({ node }) => node.name, near)
  const count = limit === 0 ? ordered.length : Math.min(limit, ordered.length)
  for (const instance of ordered.slice(0, count)) yield instanceJson(instance, identity.datacenter)
}

function nearNode(catalog: CatalogReader, { near, client }: Chosen, own: string): string {
  if (near === '_agent') return own
  if (near !== '_ip') return near
  const ip = parseIp(client)
  const holders = ip === undefined ? [] : catalog.holdersOf(ip)
  return holders.find(({ service }) => service === undefined)?.node ?? ''
}

/** Fisher and Yates. */
function shuffle(items: unknown[], random: Random): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = randomBelow(random, at + 1)
    const [one, two] = [items[at], items[other]]
    items[at] = two
    items[other] = one
  }
}
