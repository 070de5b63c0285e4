import { plainRows, plainValues } from '../state/catalog/service-fields.ts'
import type { PlainBody, PlainDefinition } from '../state/catalog/service-fields.ts'
import { flag, integer, text } from './decode.ts'
import type { Reader } from './decode.ts'
import { checkedName } from './validate.ts'

// How the plain fields of a service are decoded and judged.

const readers = { text, whole: integer, flag } as const

type Readers = { readonly [J in keyof PlainBody]-?: Reader<NonNullable<PlainBody[J]>> }

/** By their names in Consul's JSON. */
export const plainReaders = Object.fromEntries(
  plainRows.map(({ json, kind }) => [json, readers[kind]]),
) as unknown as Readers

/** Throws SvcdError `invalid-field`. */
export function plainFieldsOf(body: PlainBody): Required<PlainDefinition> {
  const values = plainValues(body)
  for (const { name, json } of plainRows) {
    const value: unknown = values[name]
    if (typeof value === 'string') checkedName(value, json)
  }
  return values
}
