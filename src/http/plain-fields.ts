import type { JsonSchema } from '../definition/decode.ts'
import type { Fields } from '../filter/fields.ts'
import { plainRows } from '../state/catalog/service-fields.ts'
import type { PlainDefinition } from '../state/catalog/service-fields.ts'
import { flag, text, whole } from './schemas.ts'

// The plain fields of a service in answers. In rows of catalog/service their names begin with `Service`.

type Prefix = '' | 'Service'

/** Makes the fields of an answer. A field that came with a later format is left out while it is empty. */
export function plainJsonOf(prefix: Prefix = '') {
  const fields = plainRows.map(({ name, json, since }) => ({
    name,
    key: prefix + json,
    isAlways: since === 1,
  }))
  return (service: PlainDefinition): Readonly<Record<string, unknown>> => {
    const json: Record<string, unknown> = {}
    for (const { name, key, isAlways } of fields) {
      const value: unknown = service[name]
      if (isAlways || (value !== undefined && value !== '' && value !== 0 && value !== false)) {
        json[key] = value
      }
    }
    return json
  }
}

const kinds = { text: 'string', whole: 'integer', flag: 'boolean' } as const

/** What `?filter=` may name. */
export function plainSelectors(prefix: Prefix = ''): Fields {
  return Object.fromEntries(
    plainRows.map(({ json, kind }) => [prefix + json, { kind: kinds[kind] }]),
  )
}

const schemas = { text, whole, flag } as const

export function plainSchemas(prefix: Prefix = ''): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(plainRows.map(({ json, kind }) => [prefix + json, schemas[kind]]))
}

/** The names of the fields that may be absent, separated by spaces. */
export function laterPlain(prefix: Prefix = ''): string {
  const later = plainRows.filter(({ since }) => since > 1)
  return later.map(({ json }) => prefix + json).join(' ')
}
