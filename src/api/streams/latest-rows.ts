import { Viewer } from '../../access/viewer.ts'
import type { Caller } from '../../access/caller.ts'
import { answerOf, indexOf } from '../../http/renderer.ts'
import type { Indexed, Question } from '../../http/renderer.ts'
import { RowDeltas } from '../../http/row-deltas.ts'
import type { RowKeyOf } from '../../http/row-deltas.ts'
import { eventOf } from './event-stream.ts'
import type { NextEvent } from './event-stream.ts'
import type { FeedSource } from './feed.ts'

/** More rows are a long list. */
const longRows = 1000

/** The rows of a list: a reader gets all of them first, and then those that changed since its last event. */
export class LatestRows<Reader extends Indexed> implements FeedSource {
  readonly #question: Question<Reader>
  readonly #caller: Caller
  readonly #deltas: RowDeltas
  #index = 0
  #isFiltered = false

  constructor(question: Question<Reader>, caller: Caller, keyOf: RowKeyOf) {
    this.#question = question
    this.#caller = caller
    this.#deltas = new RowDeltas(keyOf)
  }

  /** Changes that come closer together are one event: people read these streams, and each look reads the list. */
  get restMs(): number {
    return this.#deltas.size > longRows ? 1000 : 500
  }

  get state(): FeedSource['state'] {
    return this.#question.state
  }

  get subject(): string {
    return this.#question.subject
  }

  get index(): number {
    return this.#index
  }

  /** Whether it has a list for its first reader. */
  get isRead(): boolean {
    return this.#deltas.version > 0
  }

  /** Rows were left out that the caller may not see. */
  get isFiltered(): boolean {
    return this.#isFiltered
  }

  look(since: number): Promise<boolean> {
    const [question, caller, deltas] = [this.#question, this.#caller, this.#deltas]
    const seen = (index: number, viewer: Viewer): void => {
      this.#index = index
      this.#isFiltered ||= viewer.hasHidden
    }
    return question.state.readSliced(function* (reader) {
      const index = indexOf(reader, question, caller)
      const viewer = new Viewer(caller)
      const answer = answerOf(reader, question, viewer, since)
      const rows = answer.kind === 'list' ? (answer.rows as Iterable<object | undefined>) : []
      const isChanged = yield* deltas.take(rows)
      seen(index, viewer)
      return isChanged
    })
  }

  next(): NextEvent {
    let has = 0
    return () => {
      const { version } = this.#deltas
      if (version === has) return undefined
      const body = this.#deltas.since(has)
      has = version
      return eventOf(this.#index, body)
    }
  }
}
