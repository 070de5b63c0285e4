import type { Caller } from '../access/caller.ts'
import { Viewer } from '../access/viewer.ts'
import type { Resource } from '../access/rules/resource.ts'
import { writeAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import type { FamilyReads } from '../ports/reads.ts'
import { PerCaller } from './per-caller.ts'
import type { Need } from './permissions.ts'
import { RenderCache, Rendered } from './render-cache.ts'
import { writeIfShort } from './sliced-answer.ts'

/** What each reader of a family of the state knows, whatever its rows are. */
export interface Indexed {
  /** The index of the last change of a subject. */
  indexOf(subject: string): number
  /** The last entry of the log that it shows. */
  appliedIndex(): number
}

/** What an endpoint reads: of which family, and what. `subject` moves when the answer may be another one. */
export interface Question<Reader extends Indexed> {
  readonly state: FamilyReads<Reader>
  readonly subject: string
  /**
   * The rows that `viewer` sees. `since`: the version of the state, taken before the read began, for questions that
   * keep rows between reads.
   */
  answer(reader: Reader, viewer: Viewer, since?: number): Answer
  /** The index of the answer, if it is not that of the subject. */
  index?(reader: Reader): number
  /** Of an answer that is not JSON, its Content-Type among them. */
  readonly headers?: Readonly<Record<string, string>>
  /** The right without which it is refused. */
  readonly needs?: Need | undefined
  /** The subject of the question. A caller who may not read it gets the answer and the index of a name that does not exist. */
  readonly about?: About
}

/** A thing that a question is about, or all things whose names begin with a prefix. */
export interface About {
  readonly resource: Resource
  readonly name: string
  readonly isPrefix?: boolean
  /** The answer if there is no such thing. */
  readonly missing: Answer
}

/** No command moves it, so its index is that of a name that was never used. */
const subjectOfNothing = 'nothing'

/** A question as a client asks it. Two with the same key of the same caller must be the same. */
export interface Asking<Reader extends Indexed> {
  readonly caller: Caller
  readonly key: string
  readonly pretty: boolean
  readonly question: Question<Reader>
  /** Begins a long answer that no other client has asked for; returns what ends it. Throws to refuse it. */
  readonly beginLong?: () => () => void
}

/**
 * Answers when the index is above `above`; undefined when the caller should wait. `since` is the version
 * of the question's state, taken before.
 */
export type Render = (since: number, above: number) => Rendered | Promise<Rendered> | undefined

interface LongRead {
  /** The version of the state when it began to read; undefined while it waits for its turn. */
  readonly begunAt: () => number | undefined
  readonly rendered: Promise<Rendered>
}

/** The finished and the running answers from the state of one family. */
interface Made {
  readonly answers: RenderCache
  readonly long: PerCaller<LongRead>
  readonly counts: RenderCounts
}

/** How often an answer was shared, and how often it was read from the state. */
export interface RenderCounts {
  hits: number
  misses: number
}

/** Makes answers, each once for all of one caller who ask the same of the same state. */
export class Renderer {
  readonly #made = new Map<object, Made>()
  readonly #counts: RenderCounts = { hits: 0, misses: 0 }

  get counts(): Readonly<RenderCounts> {
    return this.#counts
  }

  of<Reader extends Indexed>(asking: Asking<Reader>): Render {
    const made = this.#madeFrom(asking.question.state)
    return (since, above) => {
      const now = renderNow(made, asking, since, above)
      return now === 'long' ? renderSlowly(made, asking) : now
    }
  }

  /** Whether a client that saw the index `above` has nothing new to see, and would wait. */
  isUnchanged<Reader extends Indexed>(
    question: Question<Reader>,
    caller: Caller,
    above: number,
  ): boolean {
    return question.state.read((reader) =>
      mustWait(reader, indexOf(reader, question, caller), above),
    )
  }

  /** Each family has its own: a change of one leaves the answers of the others. */
  #madeFrom(state: object): Made {
    let made = this.#made.get(state)
    if (made === undefined) {
      made = { answers: new RenderCache(), long: new PerCaller(), counts: this.#counts }
      this.#made.set(state, made)
    }
    return made
  }
}

function renderNow<Reader extends Indexed>(
  { answers, counts }: Made,
  { caller, key, pretty, question }: Asking<Reader>,
  since: number,
  above: number,
): Rendered | 'long' | undefined {
  return question.state.read((reader) => {
    const index = indexOf(reader, question, caller)
    if (mustWait(reader, index, above)) return undefined
    const known = answers.get(since, caller, key)
    // A commit shows in the index a moment before it shows in the version.
    if (known?.index === index) {
      counts.hits++
      return known
    }
    const viewer = new Viewer(caller)
    const body = writeIfShort(answerOf(reader, question, viewer), pretty)
    if (body === undefined) return 'long'
    counts.misses++
    const rendered = new Rendered(index, body, viewer.hasHidden)
    answers.put(since, caller, key, rendered)
    return rendered
  })
}

/** Shared with all who asked before the read began, and while nothing changed since. */
function renderSlowly<Reader extends Indexed>(
  made: Made,
  asking: Asking<Reader>,
): Promise<Rendered> {
  const { caller, key, question } = asking
  const { state } = question
  const running = made.long.get(caller, key)
  const version = state.version()
  if (running !== undefined && (running.begunAt() ?? version) === version) {
    made.counts.hits++
    return running.rendered
  }
  const end = asking.beginLong?.()
  made.counts.misses++
  let begunAt: number | undefined
  const reading = async (): Promise<Rendered> => {
    try {
      return await state.readSliced((reader) => {
        begunAt = state.version()
        return steps(reader, asking)
      })
    } finally {
      end?.()
    }
  }
  const long = { begunAt: () => begunAt, rendered: reading() }
  made.long.set(caller, key, long)
  return finished(made, asking, long)
}

async function finished<Reader extends Indexed>(
  { answers, long }: Made,
  { caller, key, question }: Asking<Reader>,
  read: LongRead,
): Promise<Rendered> {
  try {
    const rendered = await read.rendered
    const begunAt = read.begunAt()
    if (begunAt === question.state.version()) answers.put(begunAt, caller, key, rendered)
    return rendered
  } finally {
    long.delete(caller, key, read)
  }
}

function* steps<Reader extends Indexed>(
  reader: Reader,
  { caller, pretty, question }: Asking<Reader>,
): Generator<void, Rendered> {
  const index = indexOf(reader, question, caller)
  const viewer = new Viewer(caller)
  const body = yield* writeAnswer(answerOf(reader, question, viewer), pretty)
  return new Rendered(index, body, viewer.hasHidden)
}

function mustWait(reader: Indexed, index: number, above: number): boolean {
  if (above === 0 || index > above) return false
  // An index that this state has not reached comes from before a restore: waiting for it would
  // leave the client with what it knew then.
  return above <= Math.max(1, reader.appliedIndex())
}

/** Never 0: clients take 0 for "no index" and would spin. */
export function indexOf<Reader extends Indexed>(
  reader: Reader,
  question: Question<Reader>,
  caller: Caller,
): number {
  if (isHidden(question, caller) && question.subject !== 'anything') {
    return Math.max(1, reader.indexOf(subjectOfNothing))
  }
  return Math.max(1, question.index?.(reader) ?? reader.indexOf(question.subject))
}

/** Of a thing that the viewer may not read, the answer is that there is none. */
export function answerOf<Reader extends Indexed>(
  reader: Reader,
  question: Question<Reader>,
  viewer: Viewer,
  since?: number,
): Answer {
  const { about } = question
  return about !== undefined && isHidden(question, viewer.caller)
    ? about.missing
    : question.answer(reader, viewer, since)
}

/** Whether the caller may not know that there is what the question is about. */
function isHidden({ about }: Pick<Question<never>, 'about'>, { rights }: Caller): boolean {
  if (about === undefined) return false
  const { resource, name, isPrefix } = about
  const isReadable =
    isPrefix === true
      ? rights.allowsBelow(resource, name, 'read')
      : rights.allows(resource, name, 'read')
  return !isReadable
}
