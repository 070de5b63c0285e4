import { unreachable } from '../base/assert.ts'

type Entry = readonly [key: string, value: unknown]

/**
 * What a read answers with. Its rows are read while they are written, so that long lists can pause
 * after each; undefined stands for a row that is left out.
 */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'list'; readonly rows: Iterable<object | string | undefined> }
  | { readonly kind: 'map'; readonly entries: Iterable<Entry | undefined> }
  /** An object of a few fields, some of them long. */
  | {
      readonly kind: 'object'
      readonly fields: readonly (readonly [key: string, of: JsonAnswer])[]
    }
  /** No JSON, but these bytes. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** There is no such thing: 404 with an empty body. */
  | { readonly kind: 'nothing' }

type JsonAnswer = Exclude<Answer, { readonly kind: 'bytes' | 'nothing' }>

/** The body of an answer that is `nothing`; an empty value is another object. */
export const nothing = Buffer.alloc(0)

type JsonField = readonly [name: string, json: string | FlatJson]

/**
 * An object whose fields are JSON already, for numbers that JavaScript does not hold. It stands for a row
 * or a value of an {@link Answer}.
 */
export class FlatJson {
  readonly #fields: readonly JsonField[]

  constructor(fields: readonly JsonField[]) {
    this.#fields = fields
  }

  /** `margin`: '' when compact, else the line break and the indentation of the object. */
  text(margin: string): string {
    const inner = margin === '' ? '' : margin + indent
    const fields = this.#fields.map(([name, json]) => {
      const value = typeof json === 'string' ? json : json.text(inner)
      return `${inner}${keyText(name, margin)}${value}`
    })
    return `{${fields.join(',')}${margin}}`
  }
}

/** The rows of some items; `rowOf` gives undefined for what is left out, as some items are already. */
export function* rowsOf<T extends object, R>(
  items: Iterable<T | undefined>,
  rowOf: (item: T) => R | undefined,
): Generator<R | undefined, void> {
  for (const item of items) yield item === undefined ? undefined : rowOf(item)
}

const indent = '    '
/** Text is put away as bytes in pieces of about this many characters. */
const pieceLength = 256 * 1024

/** Writes an answer as JSON, a row a step. `pretty` as Consul's: indented by four, ended by a line. */
export function* writeAnswer(answer: Answer, pretty: boolean): Generator<void, Buffer> {
  if (answer.kind === 'nothing') return nothing
  if (answer.kind === 'bytes') return Buffer.from(answer.bytes)
  const out = new Pieces()
  yield* write(answer, pretty ? '\n' : '', out)
  if (pretty) out.add('\n')
  return out.bytes()
}

/** `margin`: '' when compact, else the line break and the indentation of what is written. */
function* write(answer: JsonAnswer, margin: string, out: Pieces): Generator<void, void> {
  switch (answer.kind) {
    case 'value':
      out.add(text(answer.value, margin))
      return
    case 'list': {
      const inner = margin === '' ? '' : margin + indent
      let before = `[${inner}`
      for (const row of answer.rows) {
        if (row !== undefined) {
          out.add(before + text(row, inner))
          before = `,${inner}`
        }
        yield
      }
      out.add(before.startsWith('[') ? '[]' : `${margin}]`)
      return
    }
    case 'map': {
      const inner = margin === '' ? '' : margin + indent
      let before = `{${inner}`
      for (const entry of answer.entries) {
        if (entry !== undefined) {
          out.add(before + keyText(entry[0], margin) + text(entry[1], inner))
          before = `,${inner}`
        }
        yield
      }
      out.add(before.startsWith('{') ? '{}' : `${margin}}`)
      return
    }
    case 'object': {
      const inner = margin === '' ? '' : margin + indent
      let before = `{${inner}`
      for (const [key, field] of answer.fields) {
        out.add(before + keyText(key, margin))
        yield* write(field, inner, out)
        before = `,${inner}`
      }
      out.add(`${margin}}`)
      return
    }
    default:
      unreachable(answer)
  }
}

function keyText(key: string, margin: string): string {
  return JSON.stringify(key) + (margin === '' ? ':' : ': ')
}

function text(value: unknown, margin: string): string {
  if (value instanceof FlatJson) return value.text(margin)
  if (margin === '') return JSON.stringify(value)
  // No string holds a bare line break: in JSON it is escaped.
  return JSON.stringify(value, null, indent).replaceAll('\n', margin)
}

/** Text that becomes bytes piece by piece: making them all at the end would hold others up. */
class Pieces {
  readonly #done: Buffer[] = []
  #open: string[] = []
  #length = 0

  add(piece: string): void {
    this.#open.push(piece)
    this.#length += piece.length
    if (this.#length > pieceLength) this.#put()
  }

  bytes(): Buffer {
    this.#put()
    const [only] = this.#done
    return this.#done.length === 1 && only !== undefined ? only : Buffer.concat(this.#done)
  }

  #put(): void {
    this.#done.push(Buffer.from(this.#open.join('')))
    this.#open = []
    this.#length = 0
  }
}
