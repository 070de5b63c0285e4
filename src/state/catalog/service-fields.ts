import { isFlag, isOptional, isText, isWhole } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'

/** A field of a service that is one value in one column; it is acted on elsewhere, or only stored. */
interface PlainField {
  /** In Consul's JSON. Rows of catalog/service put `Service` before it. */
  readonly json: string
  readonly kind: Kind
  /** Of the table `services`. */
  readonly column: string
  /** The format of state.db that brought it, a number that no other migration has. */
  readonly since: number
}

/** An empty value ('', 0, false) is the default. */
type Kind = 'text' | 'whole' | 'flag'

/**
 * The plain fields. A new one is a row here, the last one: decoding, commands, the column and its migration,
 * answers, selectors and schemas are folds over this table. Fields that are judged or stored in a way of their own
 * are written out in each of these places.
 */
export const plainFields = {
  enableTagOverride: {
    json: 'EnableTagOverride',
    kind: 'flag',
    column: 'enable_tag_override',
    since: 1,
  },
} as const satisfies Readonly<Record<string, PlainField>>

type Fields = typeof plainFields
export type PlainName = keyof Fields
type First = { [N in PlainName]: Fields[N]['since'] extends 1 ? N : never }[PlainName]
type Later = Exclude<PlainName, First>

interface Values {
  readonly text: string
  readonly whole: number
  readonly flag: boolean
}
type ValueOf<N extends PlainName> = Values[Fields[N]['kind']]

/** In a definition. Those of earlier releases, in the log and in agent.db, are without the later fields. */
export type PlainDefinition = { readonly [N in First]: ValueOf<N> } & {
  readonly [N in Later]?: ValueOf<N> | undefined
}

/** In a body as it was decoded. */
export type PlainBody = {
  readonly [N in PlainName as Fields[N]['json']]?: ValueOf<N> | undefined
}

type LaterColumns = {
  readonly [N in Later as Fields[N]['column']]: Fields[N]['kind'] extends 'text'
    ? 'text'
    : 'integer'
}

/** In a row of the table. */
type PlainCells = {
  -readonly [N in PlainName as Fields[N]['column']]: Fields[N]['kind'] extends 'text'
    ? string
    : number
}

/** For loops over the table: one of each at its place. */
export const plainRows: readonly (PlainField & { readonly name: PlainName })[] = (
  Object.entries(plainFields) as [PlainName, PlainField][]
).map(([name, field]) => ({ name, ...field }))

const laterRows = plainRows.filter(({ since }) => since > 1)

const empty = { text: '', whole: 0, flag: false } as const

/** What a body says, and the defaults of what it leaves out. */
export function plainValues(body: PlainBody): Required<PlainDefinition> {
  const values: Record<string, unknown> = {}
  for (const { name, json, kind } of plainRows) {
    values[name] = (body as Record<string, unknown>)[json] ?? empty[kind]
  }
  return values as Required<PlainDefinition>
}

const shapes: Readonly<Record<Kind, Shape>> = { text: isText, whole: isWhole, flag: isFlag }

/** Of the fields of a service in a command. */
export const plainShapes: Readonly<Record<string, Shape>> = Object.fromEntries(
  plainRows.map(({ name, kind, since }) => [
    name,
    since === 1 ? shapes[kind] : isOptional(shapes[kind]),
  ]),
)

const columnType = (kind: Kind) => (kind === 'text' ? 'text' : 'integer')

/** The columns that came after the first format, at the end of the table. */
export const laterColumns = Object.fromEntries(
  laterRows.map(({ column, kind }) => [column, columnType(kind)]),
) as LaterColumns

/** The migrations that bring these columns. */
export const plainMigrations = laterRows.map(({ column, kind, since }) => ({
  format: since,
  sql: `ALTER TABLE services ADD COLUMN ${column} ${columnType(kind).toUpperCase()} NOT NULL
    DEFAULT ${kind === 'text' ? "''" : 0};`,
  changes: ['services'],
}))

/**
 * Puts the values of a definition into the cells of its row. A field counts once the log has taken its format into
 * use: servers of an earlier release do not know it, and all rows must be the same.
 */
export function withPlainCells<R extends object>(
  row: R,
  definition: PlainDefinition,
  usedFormat: number,
): R & PlainCells {
  const cells = row as Record<string, unknown>
  for (const { name, column, kind, since } of plainRows) {
    const isKnown = since === 1 || since <= usedFormat
    const value = isKnown ? (definition[name] ?? empty[kind]) : empty[kind]
    cells[column] = kind === 'flag' ? Number(value) : value
  }
  return row as R & PlainCells
}

/** The other way. */
export function withPlainValues<S extends object>(
  service: S,
  row: PlainCells,
): S & Required<PlainDefinition> {
  const values = service as Record<string, unknown>
  const cells = row as Readonly<Record<string, unknown>>
  for (const { name, column, kind } of plainRows) {
    values[name] = kind === 'flag' ? cells[column] === 1 : cells[column]
  }
  return service as S & Required<PlainDefinition>
}
