import {
  hasFields,
  isFlag,
  isListOf,
  isOneOf,
  isRecordOf,
  isText,
  isWhole,
} from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { isQueryId, namePrefixMatch } from './model.ts'
import type { QueryDefinition } from './model.ts'
import { queryFormat } from './schema.ts'

/** Adds or replaces a prepared query. The definition has been validated, its template too. */
export interface QueryPutCommand {
  readonly kind: 'query-put'
  readonly id: string
  /** Whether a query with this ID must not or must be there; `any` in a restore. */
  readonly mode: 'create' | 'update' | 'any'
  readonly definition: QueryDefinition
}

export interface QueryDeleteCommand {
  readonly kind: 'query-delete'
  readonly id: string
}

export type QueryCommand = QueryPutCommand | QueryDeleteCommand

/** Why a command has changed nothing: the value of its outcome. */
export type QueryRefusal =
  /** There is no query with this ID, or there is one. */
  | 'unknown-query'
  | 'taken-id'
  /** Another query has this name, or this name as its ID, or is a template without a name. */
  | 'taken-name'
  | 'name-of-id'
  | 'taken-wildcard'
  | 'unknown-session'

const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value)
const isId: Shape = (value) => typeof value === 'string' && isQueryId(value)

const isDefinition = hasFields({
  name: isText,
  session: isText,
  token: isText,
  template: hasFields({
    type: isOneOf('', namePrefixMatch),
    regexp: isText,
    removeEmptyTags: isFlag,
  }),
  service: hasFields({
    service: isText,
    failover: hasFields({ nearestN: isWhole, datacenters: orNull(isListOf(isText)) }),
    onlyPassing: isFlag,
    ignoreCheckIds: orNull(isListOf(isText)),
    near: isText,
    tags: orNull(isListOf(isText)),
    nodeMeta: orNull(isRecordOf(isText)),
    serviceMeta: orNull(isRecordOf(isText)),
    connect: isFlag,
  }),
  dns: hasFields({ ttl: isText }),
})

export const queryCommands: Readonly<Record<QueryCommand['kind'], CommandKind>> = {
  'query-put': {
    since: queryFormat,
    about: ({ id, definition: { name, service } }: QueryPutCommand) => ({
      query: id,
      name,
      service: service.service,
    }),
    shape: hasFields({
      id: isId,
      mode: isOneOf('create', 'update', 'any'),
      definition: isDefinition,
    }),
  },
  'query-delete': {
    since: queryFormat,
    needs: 'none',
    about: ({ id }: QueryDeleteCommand) => ({ query: id }),
    shape: hasFields({ id: isId }),
  },
}
