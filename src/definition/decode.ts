import { parseDuration } from '../base/duration.ts'
import { SvcdError, reasonOf, svcdError } from '../base/errors.ts'

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Turns a JSON value into a T, or throws SvcdError `invalid-field` with the name `at`. */
export interface Reader<T> {
  (value: unknown, at: string): T
  /** The accepted values, for the document of the API; left out = anything. */
  readonly schema?: JsonSchema
}

/** A reader with the schema of what it reads. */
export function documented<T>(
  schema: JsonSchema,
  read: (value: unknown, at: string) => T,
): Reader<T> {
  return Object.assign(read, { schema })
}

type Fields = Readonly<Record<string, Reader<unknown>>>

/** The result of {@link object}: absent, null and unlisted fields are undefined. */
export type Decoded<F> = {
  readonly [K in keyof F]?: (F[K] extends Reader<infer T> ? T : never) | undefined
}

/** Recursive code stores and serialises opaque fields, so their depth needs a limit. */
const depthMax = 32
/** Go's longest duration, 2^63 nanoseconds. */
const durationMsMax = 2 ** 63 / 1e6

export const text: Reader<string> = documented({ type: 'string' }, (value, at) => {
  if (typeof value !== 'string') return refuse(at, 'a string', value, 'string')
  // It has no UTF-8 form: a value stored under it would not be found again.
  if (/\p{Surrogate}/u.test(value)) {
    throw svcdError('invalid-field', { field: at, reason: 'contains half of a surrogate pair' })
  }
  return value
})

export const flag: Reader<boolean> = documented({ type: 'boolean' }, (value, at) =>
  typeof value === 'boolean' ? value : refuse(at, 'true or false', value, 'bool'),
)

export const integer: Reader<number> = documented({ type: 'integer' }, (value, at) =>
  Number.isSafeInteger(value) ? (value as number) : refuse(at, 'a whole number', value, 'int'),
)

const durationSchema: JsonSchema = {
  anyOf: [{ type: 'string', examples: ['10s', '1m30s'] }, { type: 'number' }],
}

/** Go's durations: text with units, or a number of nanoseconds. In milliseconds. */
export const duration: Reader<number> = documented(durationSchema, (value, at) => {
  if (typeof value !== 'string' && typeof value !== 'number') {
    return refuse(at, 'a duration such as "10s"', value, 'string')
  }
  const durationMs = typeof value === 'number' ? value / 1e6 : durationOf(value)
  if (durationMs === undefined || Math.abs(durationMs) > durationMsMax) {
    const reason = `${JSON.stringify(value)} is not a duration; write one such as "10s" or "1m30s"`
    const inGo = new GoError(`time: invalid duration ${JSON.stringify(value)}`)
    throw svcdError('invalid-field', { field: at, reason }, inGo)
  }
  return durationMs
})

/** Go's tools write "" for a duration that is not set. */
function durationOf(value: string): number | undefined {
  return value === '' ? 0 : parseDuration(value)
}

/** Any JSON, kept as it is; not nested deeper than 32 levels. */
export const opaque: Reader<unknown> = (value, at) => {
  if (!isWithinDepth(value, depthMax)) {
    throw svcdError('invalid-field', {
      field: at,
      reason: `is nested more than ${depthMax} levels deep`,
    })
  }
  return value
}

export const opaqueObject: Reader<Readonly<Record<string, unknown>>> = documented(
  { type: 'object' },
  (value, at) => asObject(opaque(value, at), at),
)

export function listOf<T>(item: Reader<T>): Reader<readonly T[]> {
  const schema = { type: 'array', items: item.schema ?? {} }
  return documented(schema, (value, at) => {
    if (!Array.isArray(value)) return refuse(at, 'a list', value, '[]string')
    const items: T[] = []
    for (const [n, entry] of value.entries()) {
      if (entry !== null) items.push(item(entry, `${at}[${n}]`))
    }
    return items
  })
}

export function mapOf<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  const schema = { type: 'object', additionalProperties: item.schema ?? {} }
  return documented(schema, (value, at) => {
    const entries: [string, T][] = []
    for (const [key, entry] of Object.entries(asObject(value, at))) {
      if (entry !== null) entries.push([key, item(entry, `${at}.${key}`)])
    }
    // fromEntries defines properties, so a key named __proto__ is ordinary data.
    return Object.fromEntries(entries)
  })
}

/**
 * Reads a JSON object by a table of its fields. Keys match in any case, as in Go's decoder, and in
 * snake_case; `aliases` adds other spellings. An unknown key throws `unknown-field`. null means absent.
 */
export function object<F extends Fields>(
  fields: F,
  aliases: Readonly<Record<string, keyof F & string>> = {},
): Reader<Decoded<F>> {
  return readerOf(fields, aliases, (key) => {
    throw svcdError('unknown-field', { field: key })
  })
}

/** Like {@link object}, but drops unknown keys. */
export function openObject<F extends Fields>(fields: F): Reader<Decoded<F>> {
  return readerOf(fields, {}, () => {})
}

function readerOf<F extends Fields>(
  fields: F,
  aliases: Readonly<Record<string, keyof F & string>>,
  onUnknown: (key: string) => void,
): Reader<Decoded<F>> {
  const nameOf = new Map<string, string>()
  for (const name of Object.keys(fields)) {
    nameOf.set(name, name)
    nameOf.set(name.toLowerCase(), name)
    nameOf.set(snakeCase(name), name)
  }
  for (const [alias, name] of Object.entries(aliases)) nameOf.set(alias.toLowerCase(), name)
  const properties = Object.entries(fields).map(([name, { schema = {} }]) => [name, schema])
  const schema = { type: 'object', properties: Object.fromEntries(properties) as JsonSchema }
  return documented(schema, (value, at) => {
    const decoded: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(asObject(value, at))) {
      const name = nameOf.get(key) ?? nameOf.get(key.toLowerCase())
      const reader = name === undefined ? undefined : fields[name]
      if (name === undefined || reader === undefined) onUnknown(key)
      else if (entry !== null) decoded[name] = reader(entry, at === '' ? name : `${at}.${name}`)
    }
    return decoded as Decoded<F>
  })
}

/**
 * Reads a request body as JSON. It ignores the Content-Type, because clients send any. Errors begin with
 * Consul's text for such a body.
 */
export function decodeBody<T>(
  body: unknown,
  reader: Reader<T>,
  parse: (text: string) => unknown = JSON.parse,
): T {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw svcdError('invalid-json', { reason: 'EOF. The body is empty; send a JSON object.' })
  }
  let value: unknown
  try {
    value = parse(body.toString('utf8'))
  } catch (error) {
    // V8's texts for JSON that ends too early.
    const isCut = /end of JSON input|Unterminated string/.test(reasonOf(error))
    const reason = isCut ? 'unexpected EOF. The JSON ends too early.' : reasonOf(error)
    throw svcdError('invalid-json', { reason }, error)
  }
  try {
    return reader(value, '')
  } catch (error) {
    if (!(error instanceof SvcdError && error.cause instanceof GoError)) throw error
    const reason = `${error.cause.message}. ${error.message}`
    throw svcdError('invalid-json', { reason }, error)
  }
}

/** Consul's text for the same fault, as the cause of an error with our own text. */
export class GoError extends Error {}

function asObject(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  return refuse(at, 'an object', value, 'struct')
}

export function refuse(at: string, expected: string, value: unknown, goType: string): never {
  const found = Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`
  const reason = `expected ${expected}, got ${found === 'a object' ? 'an object' : found}`
  if (at === '') throw svcdError('invalid-json', { reason })
  const what = `json: cannot unmarshal ${goKind(value)} into Go struct field .${at} of type ${goType}`
  throw svcdError('invalid-field', { field: at, reason }, new GoError(what))
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((entry) => isWithinDepth(entry, levels - 1))
}

/** `TLSServerName` → `tls_server_name`. */
function snakeCase(name: string): string {
  return name
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
