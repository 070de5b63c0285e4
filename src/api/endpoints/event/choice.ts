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
  return {
    subject: wanted === '' ? eventSubject.all : eventSubject.named(wanted),
    has: ({ name, nodes, serviceFilter, tagFilter }) =>
      (wanted === '' || name === wanted) &&
      (nodes === undefined || nodes.some(isHere)) &&
      (service === undefined || (serviceFilter !== '' && service.matches(serviceFilter))) &&
      (tag === undefined || (tagFilter !== '' && tag.matches(tagFilter))),
  }
}

/** A regular expression of RE2, matched in linear time. */
export interface Filter {
  readonly text: string
  readonly matches: (subject: string) => boolean
}

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
  try {
    return { text, matches: remembered(compilePattern(text)) }
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const reason = `error parsing regexp: ${error.message}`
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
