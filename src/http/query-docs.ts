import type { JsonSchema } from '../definition/decode.ts'

/** The parameters of a row, by name. */
export type QueryDocs = Readonly<Record<string, JsonSchema>>

const text: JsonSchema = { type: 'string' }
const flag: JsonSchema = { type: 'boolean' }
const texts: JsonSchema = { type: 'array', items: text }

// Parameters that several families have. A row adds its own: `{ ...readQuery, entry: { … } }`.

export const dc: QueryDocs = {
  dc: { ...text, description: 'This datacenter; any other is answered with 500' },
}
export const pretty: QueryDocs = { pretty: { ...flag, description: 'Indent the JSON' } }
export const filter: QueryDocs = {
  filter: { ...text, description: 'Return only the rows that match this expression' },
}
export const near: QueryDocs = {
  near: { ...text, description: 'Accepted; does not change the order' },
}
export const nodeMeta: QueryDocs = {
  'node-meta': {
    ...texts,
    description: 'key:value; return only entries of nodes with this metadata; may be repeated',
  },
}
export const passing: QueryDocs = {
  passing: { ...flag, description: 'Return only instances whose checks all pass' },
}
export const tag: QueryDocs = {
  tag: { ...texts, description: 'Return only instances with this tag; may be repeated' },
}
export const wait: QueryDocs = {
  wait: {
    ...text,
    description: 'How long to wait at most: 5m by default (10m with hash), no more than 10m',
  },
}
export const index: QueryDocs = {
  index: {
    type: 'integer',
    minimum: 0,
    description: 'Wait until X-Consul-Index is above this value',
  },
}

/** How fresh an answer must be. */
export const consistency: QueryDocs = {
  stale: {
    ...flag,
    description: 'Answer immediately from the copy of this server, even without a leader',
  },
  consistent: { ...flag, description: 'Answer after a majority has confirmed the leader' },
  max_stale: { ...text, description: 'A duration; implies stale' },
  ...dc,
}

/** Reads that can wait for a change. */
export const readQuery: QueryDocs = {
  ...index,
  ...wait,
  cached: { ...flag, description: 'Accepted; the copy of this server is the cache' },
  ...consistency,
  ...pretty,
}

/** Reads of many rows. */
export const listQuery: QueryDocs = { ...filter, ...nodeMeta, ...readQuery }

/** Streams of such reads. */
export const watchQuery: QueryDocs = { ...index, ...consistency, ...filter }

/** Streams of lists whose rows have a key. */
export const deltas: QueryDocs = {
  deltas: {
    ...flag,
    description:
      'After the first event, send only the rows that changed, and the keys of those that were removed',
  },
}
