/** What tells the rows of a list apart: the texts of these fields, of which no two rows have the same. */
export type RowKeyOf = (row: object) => readonly string[]

interface Known {
  readonly key: readonly string[]
  /** The key as one text. */
  readonly text: string
  readonly row: object
  readonly json: string
  /** The version that brought it. */
  readonly version: number
}

interface Removed {
  readonly key: readonly string[]
  readonly version: number
}

/** Removed rows that are remembered. A reader that is further behind gets the whole list. */
const removedMax = 10_000
/** Rows that are looked at in one step, when none of them changed. */
const rowsPerStep = 256

/**
 * The rows of a list, with the version at which each changed last. So a reader who has an older version gets only
 * what has changed since.
 */
export class RowDeltas {
  readonly #keyOf: RowKeyOf
  #rows: readonly Known[] = []
  #byKey = new Map<string, Known>()
  readonly #removed = new Map<string, Removed>()
  /** Removals before this version are forgotten. */
  #remembersFrom = 0
  #version = 0
  /** Made once for all readers with the same version. */
  readonly #texts = new Map<number, Buffer>()

  constructor(keyOf: RowKeyOf) {
    this.#keyOf = keyOf
  }

  get size(): number {
    return this.#rows.length
  }

  /** 0: no list was taken yet. */
  get version(): number {
    return this.#version
  }

  /** Takes the list as it is now, a few rows a step. Returns whether it differs from the one before. */
  *take(list: Iterable<object | undefined>): Generator<void, boolean> {
    const rows: Known[] = []
    const changed: Known[] = []
    let isMoved = false
    let looked = 0
    for (const row of list) {
      if (++looked % rowsPerStep === 0 || row === undefined) yield
      if (row === undefined) continue
      // Lists that are kept between reads give the same object for a row that did not change.
      const before = this.#rows[rows.length]
      if (before?.row === row) rows.push(before)
      else {
        const known = this.#knownOf(row)
        if (known.version > this.#version) changed.push(known)
        isMoved ||= known.text !== before?.text
        rows.push(known)
        yield
      }
    }
    return this.#put(rows, changed, isMoved || rows.length !== this.#rows.length)
  }

  #put(rows: readonly Known[], changed: readonly Known[], isMoved: boolean): boolean {
    const before = this.#byKey
    if (isMoved) this.#byKey = new Map(rows.map((known) => [known.text, known]))
    else for (const known of changed) before.set(known.text, known)
    const removed = isMoved ? [...before.values()].filter(({ text }) => !this.#byKey.has(text)) : []
    this.#rows = rows
    if (changed.length === 0 && removed.length === 0 && this.#version > 0) return false
    this.#version++
    this.#texts.clear()
    for (const { text } of changed) this.#removed.delete(text)
    for (const { text, key } of removed) this.#removed.set(text, { key, version: this.#version })
    if (this.#removed.size > removedMax) {
      this.#removed.clear()
      this.#remembersFrom = this.#version
    }
    return true
  }

  /** The changes since a version, as JSON; since 0: the whole list. */
  since(version: number): Buffer {
    const known = this.#texts.get(version)
    if (known !== undefined) return known
    const made = this.#made(version)
    this.#texts.set(version, made)
    return made
  }

  #made(version: number): Buffer {
    const isWhole = version === 0 || version < this.#remembersFrom
    const changed: string[] = []
    for (const row of this.#rows) if (isWhole || row.version > version) changed.push(row.json)
    const removed: (readonly string[])[] = []
    if (!isWhole) {
      for (const row of this.#removed.values()) if (row.version > version) removed.push(row.key)
    }
    return Buffer.from(
      `{"Whole":${isWhole},"Changed":[${changed.join(',')}],"Removed":${JSON.stringify(removed)}}`,
    )
  }

  /** A row in a new object; it may say the same as before. */
  #knownOf(row: object): Known {
    const key = this.#keyOf(row)
    const text = textOf(key)
    const json = JSON.stringify(row)
    const before = this.#byKey.get(text)
    const version = this.#version + 1
    return before?.json === json ? { ...before, row } : { key, text, row, json, version }
  }
}

function textOf(key: readonly string[]): string {
  const [only = ''] = key
  return key.length === 1 ? only : JSON.stringify(key)
}
