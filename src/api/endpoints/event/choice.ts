import { svcdError } from '../../../base/errors.ts'
import { compilePattern } from '../../../filter/pattern.ts'
import { PatternError } from '../../../filter/pattern-syntax.ts'
import type { Identity } from '../../../ports/identity.ts'
import { filterBytesMax } from '../../../state/event/commands.ts'
import type { UserEvent } from '../../../state/event/reader.ts'
import { eventSubject } from '../../../state/event/subjects.ts'
import { parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'

/** Which events a reader asks for. */
export interface Choice {
  /** What moves when there is another one. */
  readonly subject: string
  readonly has: (event: UserEvent) => boolean
  /** To be called before it looks at events in one turn of the event loop. */
  readonly begin: () => void
  /** Looks at the events with pauses, and remembers what it finds. */
  readonly prepare: (events: readonly UserEvent[]) => Promise<void>
}

/**
 * The events of one name, or of all, that are for this agent's node; with `node`, for a node whose name
 * matches. `service` and `tag` look at the filters that an event was fired with. Throws `invalid-event-filter`.
 */
export function choiceOf(parameters: Parameters, { nodeName }: Identity): Choice {
  const wanted = parameter(parameters, 'name') ?? ''
  const [node, service, tag] = (['node', 'service', 'tag'] as const).map((kind) =>
    filterOf(parameters, kind),
  )
  const own = nodeName.toLowerCase()
  const isHere = node?.matches ?? ((name: string) => name.toLowerCase() === own)
  const has: Choice['has'] = ({ name, nodes, serviceFilter, tagFilter }) =>
    (wanted === '' || name === wanted) &&
    (nodes === undefined || nodes.some(isHere)) &&
    (service === undefined || (serviceFilter !== '' && service.matches(serviceFilter))) &&
    (tag === undefined || (tagFilter !== '' && tag.matches(tagFilter)))
  const filters = [node, service, tag].filter((filter) => filter !== undefined)
  return {
    subject: wanted === '' ? eventSubject.all : eventSubject.named(wanted),
    has,
    begin: () => {
      for (const { allow } of filters) allow(atOnceStepsMax)
    },
    prepare: (events) => lookSliced(filters, events, has),
  }
}

async function lookSliced(
  filters: readonly Filter[],
  events: readonly UserEvent[],
  has: Choice['has'],
): Promise<void> {
  if (filters.length === 0) return
  for (const { allow } of filters) allow(slicedStepsMax)
  const left = (): number => filters.reduce((sum, filter) => sum + filter.left(), 0)
  let pausedAt = left()
  for (const event of events) {
    has(event)
    if (pausedAt - left() < sliceSteps) continue
    await new Promise((resolve) => setImmediate(resolve))
    pausedAt = left()
  }
}

/** A regular expression of RE2, matched in linear time. */
export interface Filter {
  readonly text: string
  /** Throws `invalid-event-filter` when it takes too long. */
  readonly matches: (subject: string) => boolean
  /** Limits the steps that it may take from now on. */
  readonly allow: (steps: number) => void
  readonly left: () => number
}

/** Steps of a filter for one name: up to 30 ms. Without limits a filter of 512 bytes could take minutes for all events. */
const matchStepsMax = 400_000
/** Steps of a filter for all events, with pauses, and without. */
const slicedStepsMax = 6_000_000
const atOnceStepsMax = 600_000
/** Others get their turn after so many. */
const sliceSteps = 100_000

/** Undefined when it is absent or empty. Throws `invalid-event-filter`, in Go's words. */
export function filterOf(
  parameters: Parameters,
  kind: 'node' | 'service' | 'tag',
): Filter | undefined {
  const text = parameter(parameters, kind) ?? ''
  if (text === '') return undefined
  const size = Buffer.byteLength(text)
  if (size > filterBytesMax) {
    const reason = `it has ${size} bytes, and at most ${filterBytesMax} are allowed`
    throw svcdError('invalid-event-filter', { kind, reason })
  }
  const pattern = inWords(kind, 'error parsing regexp: ', () => compilePattern(text))
  let left = Infinity
  const matches = (subject: string): boolean => {
    const most = Math.min(left, matchStepsMax)
    const work = { left: most }
    try {
      return inWords(kind, '', () => pattern(subject, work))
    } finally {
      left -= most - work.left
    }
  }
  return {
    text,
    matches: remembered(matches),
    allow: (steps) => (left = steps),
    left: () => left,
  }
}

function inWords<T>(kind: string, prefix: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const reason = `${prefix}${error.message}`
    throw svcdError('invalid-event-filter', { kind, reason }, error)
  }
}

/** So many results are remembered. */
const knownMax = 1000

/** Most services and events have the names, tags and filters of others. */
function remembered(matches: Filter['matches']): Filter['matches'] {
  const known = new Map<string, boolean>()
  return (subject) => {
    const before = known.get(subject)
    if (before !== undefined) return before
    const result = matches(subject)
    if (known.size < knownMax) known.set(subject, result)
    return result
  }
}
