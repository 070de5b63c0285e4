import type { CatalogReader } from '../../state/catalog/query.ts'
import { writeAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import type { Backend } from '../../ports/backend.ts'
import { RenderCache, Rendered } from './render-cache.ts'
import { writeIfShort } from './sliced-answer.ts'

/** What an endpoint reads: `subject` moves when `answer` may be another one. */
export interface Question {
  readonly subject: string
  answer(catalog: CatalogReader): Answer
}

/**
 * Answers when the subject's index is above `above`; undefined when the caller should wait. `since`
 * is the catalog's version, taken before.
 */
export type Render = (since: number, above: number) => Rendered | Promise<Rendered> | undefined

interface LongRead {
  /** The catalog's version when it began to read; undefined while it waits for its turn. */
  readonly begunAt: () => number | undefined
  readonly rendered: Promise<Rendered>
}

/** Makes answers, each once for all who ask the same of the same state. */
export class Renderer {
  readonly #backend: Pick<Backend, 'read' | 'readSliced' | 'version'>
  readonly #answers = new RenderCache()
  readonly #long = new Map<string, LongRead>()

  constructor(backend: Pick<Backend, 'read' | 'readSliced' | 'version'>) {
    this.#backend = backend
  }

  /** Two questions with the same `key` must be the same. */
  of(key: string, pretty: boolean, question: Question): Render {
    return (since, above) => {
      const now = this.#now(key, pretty, question, since, above)
      return now === 'long' ? this.#slowly(key, pretty, question) : now
    }
  }

  /** Whether a client that saw the index `above` has nothing new to see, and would wait. */
  isUnchanged(question: Question, above: number): boolean {
    return this.#backend.read((catalog) =>
      mustWait(catalog, indexOf(catalog, question.subject), above),
    )
  }

  #now(
    key: string,
    pretty: boolean,
    question: Question,
    since: number,
    above: number,
  ): Rendered | 'long' | undefined {
    return this.#backend.read((catalog) => {
      const index = indexOf(catalog, question.subject)
      if (mustWait(catalog, index, above)) return undefined
      const known = this.#answers.get(since, key)
      // A commit shows in the index a moment before it shows in the version.
      if (known?.index === index) return known
      const body = writeIfShort(question.answer(catalog), pretty)
      if (body === undefined) return 'long'
      const rendered = new Rendered(index, body)
      this.#answers.put(since, key, rendered)
      return rendered
    })
  }

  /** Shared with all who asked before the read began, and while nothing changed since. */
  #slowly(key: string, pretty: boolean, question: Question): Promise<Rendered> {
    const running = this.#long.get(key)
    const version = this.#backend.version()
    if (running !== undefined && (running.begunAt() ?? version) === version) return running.rendered
    let begunAt: number | undefined
    const rendered = this.#backend.readSliced((catalog) => {
      begunAt = this.#backend.version()
      return steps(catalog, pretty, question)
    })
    const long = { begunAt: () => begunAt, rendered }
    this.#long.set(key, long)
    return this.#finished(key, long)
  }

  async #finished(key: string, long: LongRead): Promise<Rendered> {
    try {
      const rendered = await long.rendered
      const begunAt = long.begunAt()
      if (begunAt === this.#backend.version()) this.#answers.put(begunAt, key, rendered)
      return rendered
    } finally {
      if (this.#long.get(key) === long) this.#long.delete(key)
    }
  }
}

function* steps(
  catalog: CatalogReader,
  pretty: boolean,
  question: Question,
): Generator<void, Rendered> {
  const index = indexOf(catalog, question.subject)
  return new Rendered(index, yield* writeAnswer(question.answer(catalog), pretty))
}

function mustWait(catalog: CatalogReader, index: number, above: number): boolean {
  if (above === 0 || index > above) return false
  // An index that this catalog has not reached comes from before a restore: waiting for it would
  // leave the client with what it knew then.
  return above <= Math.max(1, catalog.appliedIndex())
}

/** Never 0: clients take 0 for "no index" and would spin. */
function indexOf(catalog: CatalogReader, subject: string): number {
  return Math.max(1, catalog.indexOf(subject))
}
