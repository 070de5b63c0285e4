import type { JsonSchema } from '../definition/decode.ts'

// The answers as JSON Schema. They only document; tests alone check answers against them.

export const text: JsonSchema = { type: 'string' }
export const flag: JsonSchema = { type: 'boolean' }
export const whole: JsonSchema = { type: 'integer' }
/** An object of any fields. */
export const opaque: JsonSchema = { type: 'object' }
export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
export const map = (additionalProperties: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties,
})
export const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] })
export const texts = list(text)
export const textMap = map(text)

/** An object with at least these fields. `optional`: the names of fields that may be absent, separated by spaces. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional = '',
): JsonSchema {
  const left = new Set(optional.split(' '))
  const required = Object.keys(properties).filter((name) => !left.has(name))
  return { type: 'object', properties, required }
}

const named = Symbol('named')

interface NamedSchema extends JsonSchema {
  readonly [named]: { readonly name: string; readonly schema: JsonSchema }
}

/** A schema that stands under a name of its own in the document. */
export function schemaNamed(name: string, schema: JsonSchema): JsonSchema {
  return { $ref: `${name}#`, [named]: { name, schema } } satisfies NamedSchema
}

/** The named schemas in `schema`, at any depth, by their names. */
export function namedIn(schema: unknown, into = new Map<string, JsonSchema>()) {
  if (typeof schema !== 'object' || schema === null) return into
  if (named in schema) {
    const { name, schema: own } = (schema as NamedSchema)[named]
    if (into.has(name)) return into
    into.set(name, own)
    namedIn(own, into)
  }
  for (const part of Object.values(schema)) namedIn(part, into)
  return into
}

/** An answer that is not JSON. */
export interface MediaDoc {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

export const eventStream: MediaDoc = {
  description: 'A stream of server-sent events',
  content: { 'text/event-stream': { schema: text } },
}

export const lineStream: MediaDoc = {
  description: 'A stream of lines',
  content: { 'text/plain': { schema: text }, 'application/x-ndjson': { schema: text } },
}
