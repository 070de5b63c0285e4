import type { Kind, May } from '../../helpers/plain-rules.ts'
import type { Request } from './fuzz-requests.ts'
import { ownNode } from '../../helpers/plain-rules.ts'

/** Something that an answer shows: a name, or a mark (see `mark`). */
export interface Shown {
  readonly text: string
  /** All of these must be readable. */
  readonly needs: readonly (readonly [Kind, string])[]
}

const kinds: Readonly<Record<string, Kind>> = {
  node: 'node',
  svc: 'service',
  key: 'key',
  evt: 'event',
  qry: 'query',
}
const names = /\b(node|svc|key|evt|qry)-[A-Za-z]+(?:\/(?:below)?)?|\bn1\b/g
const marks = /mark\(([^)]*)\)/g
/** Values of keys, and payloads of events. */
const encoded = /"(?:Value|Payload)":"([\w+/=]*)"/g

/** A refusal names what the right is missing for. */
const refusal = /lacks permission '[\w:-]+'(?: on \\*".*?")?/g

/** All that an answer shows and that the request did not say itself. */
export function shownIn(answer: string, { path, body, isOfSessions = false }: Request): Shown[] {
  const text = answer
    .replaceAll(refusal, '')
    .replaceAll(encoded, (_all, value: string) => Buffer.from(value, 'base64').toString())
  const found = new Map<string, Shown>()
  const said = path + JSON.stringify(body ?? '')
  for (const [all, parts = ''] of text.matchAll(marks)) {
    if (!found.has(all) && !said.includes(all))
      found.set(all, { text: all, needs: parts.split(' ').map(needOf) })
  }
  for (const [name, word = 'node'] of text.replaceAll(marks, '').matchAll(names)) {
    if (found.has(name) || said.includes(name)) continue
    const kind = isOfSessions && (word === 'node' || name === ownNode) ? 'session' : kinds[word]
    // A key that is cut at a separator stands for the one below it.
    const full = name.endsWith('/') ? `${name}below` : name
    found.set(name, { text: name, needs: [[kind as Kind, full]] })
  }
  return [...found.values()]
}

/** `intention:svc-a|svc-b`: one of the two is enough. */
function needOf(part: string): readonly [Kind, string] {
  const [kind = '', name = ''] = part.split(':')
  return [kind as Kind, name]
}

/** What is shown although the rules do not let it be read. */
export function forbidden(
  shown: readonly Shown[],
  may: May,
  { alsoShows, isOfQueries = false }: Request,
): readonly string[] {
  const reads = ([kind, name]: readonly [Kind, string]): boolean =>
    name.split('|').some((one) => may(kind, one)) ||
    (isOfQueries && kind === 'query' && may('acl', '', 'write'))
  return shown
    .filter(({ text, needs }) => alsoShows?.test(text) !== true && !needs.every(reads))
    .map(({ text }) => text)
}
