/** A position in a text, both counted from 1; columns in UTF-16 units, as editors show them. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** An error at a position of a text. */
export interface JsonFault extends Position {
  readonly reason: string
}

/** The steps from a document's root to a value in it: names of keys, numbers of items. */
export type JsonPath = readonly (string | number)[]

/** A JSON document with the positions of its values, for error messages. */
export interface JsonDocument {
  readonly value: unknown
  /**
   * Where the value at `path` starts, or the nearest existing one above it. Keys match without regard to
   * case and `_`, as in Consul's files.
   */
  readonly positionOf: (path: JsonPath) => Position
  /** The position of a key somewhere below `path`, or of the value at `path` if there is no such key. */
  readonly positionOfKey: (path: JsonPath, key: string) => Position
  /** Keys that appear twice in one object; the last one applies. */
  readonly duplicates: readonly JsonFault[]
}

/** A text that is not JSON. `keys`: the keys of the outermost object before the fault. */
export interface BrokenJson {
  readonly fault: JsonFault
  readonly keys: readonly string[]
}

const depthMax = 64

/** Reads JSON (RFC 8259) as `JSON.parse` does; an error has its position. */
export function readJson(text: string): JsonDocument | BrokenJson {
  // Some editors write a byte order mark first; RFC 8259 §8.1 lets readers ignore it.
  const body = text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text
  const scan = new Scan(body)
  const failed = scan.run()
  if (failed !== undefined) {
    const fault = { ...positionAt(body, failed.at), reason: failed.reason }
    return { fault, keys: scan.outerKeys }
  }
  return {
    value: JSON.parse(body) as unknown,
    positionOf: (path) => positionAt(body, scan.offsetOf(path)),
    positionOfKey: (path, key) => positionAt(body, scan.keyBelow(path, key)),
    duplicates: scan.duplicates.map(({ at, key }) => ({
      ...positionAt(body, at),
      reason: `the key ${JSON.stringify(key)} appears twice in this object; the last one applies`,
    })),
  }
}

export function isBroken(read: JsonDocument | BrokenJson): read is BrokenJson {
  return 'fault' in read
}

/** `Checks[0].TaggedAddresses.lan` as a path. */
export function pathOf(field: string): JsonPath {
  return field
    .split('.')
    .flatMap((part) => part.split(/\[(\d+)\]/))
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { line, column: offset - before.lastIndexOf('\n') }
}

class Fault extends Error {
  readonly at: number

  constructor(at: number, reason: string) {
    super(reason)
    this.at = at
  }
}

const space = /[ \t\n\r]*/y
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// oxlint-disable-next-line no-control-regex -- RFC 8259 §7: control characters have to be escaped.
const string = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})[^"\\\u0000-\u001f]*)*"/y

/** One pass over a text by recursive descent, which records where every value starts. */
class Scan {
  readonly outerKeys: string[] = []
  readonly duplicates: { readonly at: number; readonly key: string }[] = []
  readonly #text: string
  readonly #offsets = new Map<string, number>()
  readonly #keys: { readonly path: string; readonly at: number }[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): { readonly at: number; readonly reason: string } | undefined {
    try {
      this.#value('', 0)
      this.#skip(space)
      if (this.#at < this.#text.length)
        this.#refuse('there is text after the end of the JSON document')
      return undefined
    } catch (error) {
      if (error instanceof Fault) return { at: error.at, reason: error.message }
      throw error
    }
  }

  offsetOf(path: JsonPath): number {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#offsets.get(path.slice(0, length).map(step).join(''))
      if (offset !== undefined) return offset
    }
    return this.#offsets.get('') ?? 0
  }

  keyBelow(path: JsonPath, key: string): number {
    const [above, below] = [path.map(step).join(''), step(key)]
    for (const { path: known, at } of this.#keys) {
      if (known.startsWith(above) && known.endsWith(below)) return at
    }
    return this.offsetOf(path)
  }

  #value(path: string, depth: number): void {
    this.#skip(space)
    this.#offsets.set(path, this.#at)
    if (depth > depthMax) this.#refuse(`nested deeper than ${depthMax} levels`)
    const first = this.#text[this.#at]
    if (first === '{') this.#object(path, depth)
    else if (first === '[') this.#list(path, depth)
    else if (first === '"') this.#string()
    else if (!this.#skip(literal)) this.#refuse('expected a value')
  }

  #object(path: string, depth: number): void {
    const keys = new Set<string>()
    this.#items('}', () => {
      const at = this.#at
      const key = this.#string()
      if (keys.has(key)) this.duplicates.push({ at, key })
      keys.add(key)
      this.#keys.push({ path: path + step(key), at })
      if (path === '') this.outerKeys.push(key)
      this.#skip(space)
      if (this.#text[this.#at] !== ':') this.#refuse('expected ":" after the key')
      this.#at++
      this.#value(path + step(key), depth + 1)
    })
  }

  #list(path: string, depth: number): void {
    let n = 0
    this.#items(']', () => this.#value(path + step(n++), depth + 1))
  }

  /** The items between brackets, separated by commas. */
  #items(end: '}' | ']', item: () => void): void {
    this.#at++
    this.#skip(space)
    if (this.#text[this.#at] === end) return void this.#at++
    for (;;) {
      this.#skip(space)
      if (this.#text[this.#at] === end) this.#refuse(`trailing comma before "${end}"`)
      item()
      this.#skip(space)
      const next = this.#text[this.#at]
      if (next !== end && next !== ',') this.#refuse(`expected "," or "${end}"`)
      this.#at++
      if (next === end) return
    }
  }

  #string(): string {
    const start = this.#at
    if (this.#text[start] !== '"') this.#refuse('expected a key in double quotes')
    if (!this.#skip(string)) {
      this.#refuse('this string has no closing quote, or contains a character that must be escaped')
    }
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  /** Skips what `pattern` matches here; false if it matches nothing. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const found = pattern.test(this.#text)
    if (found) this.#at = pattern.lastIndex
    return found
  }

  #refuse(reason: string): never {
    const found = this.#text[this.#at]
    const what = found === undefined ? 'the end of the file' : JSON.stringify(found)
    const isExpected = reason.startsWith('expected')
    throw new Fault(this.#at, isExpected ? `${reason}, found ${what}` : reason)
  }
}

function step(name: string | number): string {
  return typeof name === 'number' ? `[${name}]` : `.${name.replaceAll('_', '').toLowerCase()}`
}
