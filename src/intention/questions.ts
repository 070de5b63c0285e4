import type { Rights } from '../access/rights.ts'
import type { Viewer } from '../access/viewer.ts'
import { svcdError } from '../base/errors.ts'
import { isUuid } from '../base/uuid.ts'
import { parseIntentionName } from '../definition/intention.ts'
import type { IntentionPair } from '../definition/intention.ts'
import { filterOf, intentionFields } from '../http/filters.ts'
import { rowsOf } from '../http/answer.ts'
import { allParameters, flagParameter, parameter } from '../http/parameters.ts'
import type { Parameters } from '../http/parameters.ts'
import type { Need } from '../http/permissions.ts'
import type { Question } from '../http/renderer.ts'
import type { Families } from '../ports/reads.ts'
import type { Tokens } from '../ports/tokens.ts'
import { intentionFamily } from '../state/intention/family.ts'
import type { Intention, IntentionName, IntentionSide } from '../state/intention/model.ts'
import { shownName } from '../state/intention/model.ts'
import type { IntentionReader } from '../state/intention/reader.ts'
import { intentionSubject } from '../state/intention/subjects.ts'
import { intentionJson } from './row.ts'

type IntentionQuestion = Question<IntentionReader>

/** What the questions are answered from. */
export interface IntentionContext {
  readonly families: Families
  readonly tokens: Pick<Tokens, 'defaultPolicy'>
}

/** Who may read the intentions of one of the two names may read an intention, as in Consul. */
export function mayRead({ source, destination }: IntentionPair, rights: Rights): boolean {
  const of = ({ name }: IntentionName): boolean => rights.allows('intention', name, 'read')
  return of(source) || of(destination)
}

/** What the viewer sees of an intention; undefined: nothing. */
function seen(intention: Intention, viewer: Viewer) {
  if (mayRead(intention, viewer.caller.rights)) return intentionJson(intention)
  viewer.hide()
  return undefined
}

function question(context: IntentionContext, rest: Pick<IntentionQuestion, 'answer' | 'needs'>) {
  return { state: context.families.of(intentionFamily), subject: intentionSubject.all, ...rest }
}

export function listed(context: IntentionContext, parameters: Parameters): IntentionQuestion {
  const filter = filterOf(parameters, intentionFields)
  return question(context, {
    answer: (reader, viewer) => ({
      kind: 'list',
      rows: rowsOf(reader.intentions(), (intention) => {
        const row = seen(intention, viewer)
        return row === undefined || filter?.(row) === false ? undefined : row
      }),
    }),
  })
}

/** Answers with `intention-bad-id` and `intention-not-found`. */
export function byId(context: IntentionContext, id: string, rights: Rights): IntentionQuestion {
  if (!isUuid(id)) throw svcdError('intention-bad-id', { id: JSON.stringify(id) })
  const known = context.families.of(intentionFamily).read((reader) => reader.intention(id))
  const isDenied = known !== undefined && !mayRead(known, rights)
  return question(context, {
    // The names that it is about are not told.
    needs: isDenied ? needOf('read', { ...known.destination, name: '' }) : undefined,
    answer: (reader, viewer) => oneOf(reader.intention(id), viewer, `with the ID ${id}`),
  })
}

export function exactly(context: IntentionContext, pair: IntentionPair, rights: Rights) {
  const { source, destination } = pair
  return question(context, {
    needs: mayRead(pair, rights) ? undefined : needOf('read', destination),
    answer: (reader, viewer) =>
      oneOf(
        reader.between(source, destination),
        viewer,
        `from "${shownName(source)}" to "${shownName(destination)}"`,
      ),
  })
}

function oneOf(found: Intention | undefined, viewer: Viewer, which: string) {
  const value = found === undefined ? undefined : seen(found, viewer)
  if (value === undefined) throw svcdError('intention-not-found', { which })
  return { kind: 'value', value } as const
}

/** All that are about each of some names, those that decide first in front. */
export function matched(context: IntentionContext, parameters: Parameters, rights: Rights) {
  const side = sideOf(parameter(parameters, 'by'))
  const given = allParameters(parameters, 'name')
  if (given.length === 0) throw svcdError('intention-parameter-missing', { name: 'name' })
  const names = [...new Set(given)]
    .toSorted()
    .map((text) => [text, parseIntentionName(text, 'name')] as const)
  const denied = names.find(
    ([, { name }]) => name !== '' && !rights.allows('intention', name, 'read'),
  )
  return question(context, {
    needs: denied === undefined ? undefined : needOf('read', denied[1]),
    answer: (reader, viewer) => ({
      kind: 'map',
      entries: names.map(([text, name]) => {
        const all = reader.matching(side, name).map((each) => seen(each, viewer))
        const rows = all.filter((row) => row !== undefined)
        // As in Consul.
        return [text, rows.length === 0 ? null : rows]
      }),
    }),
  })
}

function sideOf(by: string | undefined): IntentionSide {
  if (by === undefined) throw svcdError('intention-parameter-missing', { name: 'by' })
  if (by !== 'source' && by !== 'destination') throw svcdError('intention-side-unknown', {})
  return by
}

/** Whether one may call the other. With `explain`: and which intention says so. */
export function checked(context: IntentionContext, parameters: Parameters): IntentionQuestion {
  const type = parameter(parameters, 'source-type') ?? 'consul'
  if (type !== 'consul') throw svcdError('intention-source-type', { type: JSON.stringify(type) })
  const pair = pairOf(parameters)
  const { source, destination } = pair
  const isExplained = flagParameter(parameters, 'explain')
  const isDefaultAllow = context.tokens.defaultPolicy === 'allow'
  return question(context, {
    needs: { resource: 'service', name: destination.name, access: 'read' },
    answer: (reader, viewer) => {
      const decided = reader.deciding(source, destination)
      const isAllowed = decided === undefined ? isDefaultAllow : decided.action === 'allow'
      if (!isExplained) return { kind: 'value', value: { Allowed: isAllowed } }
      const shown = decided === undefined ? undefined : seen(decided, viewer)
      // Who may read neither side does not learn whether there is an intention.
      const isKnown = mayRead(pair, viewer.caller.rights)
      if (!isKnown) viewer.hide()
      const by = decided === undefined ? 'default' : 'intention'
      const value = { Allowed: isAllowed, DecidedBy: isKnown ? by : '', Intention: shown ?? null }
      return { kind: 'value', value: isKnown ? value : { ...value, Intention: null } }
    },
  })
}

/** The names that `source` and `destination` ask about. */
export function pairOf(parameters: Parameters): IntentionPair {
  const one = (name: 'source' | 'destination'): IntentionName => {
    const given = allParameters(parameters, name)
    const [text] = given
    if (text === undefined || given.length > 1) {
      throw svcdError('intention-parameter-missing', { name })
    }
    return parseIntentionName(text, name)
  }
  return { source: one('source'), destination: one('destination') }
}

export function needOf(access: 'read' | 'write', { name }: IntentionName): Need {
  return { resource: 'intention', name, access }
}
