import { computed, signal } from '@preact/signals'
import { Batch } from '../core/batch.ts'
import { sendJson } from './api.ts'
import type { ApiFault } from './api.ts'
import { nowMs } from './clock.ts'
import { token } from './preferences.ts'

// What the token of this tab may do. Controls ask with `may` while they are drawn; the questions of a page are sent
// together, and the controls are drawn again with the answers. The agent still decides about every request.

export interface Right {
  readonly isAllowed: boolean
  /** Why not, in words; '' if it is allowed. */
  readonly reason: string
}

interface Question {
  readonly Resource: string
  readonly Access: string
  readonly Segment: string
}

interface Known {
  /** Whose rights these are. */
  readonly secret: string
  readonly answers: ReadonlyMap<string, { readonly isAllowed: boolean; readonly period: number }>
}

export type AccessControl = 'unknown' | 'on' | 'off'

/** A question of a reader, at a time. */
interface Asked {
  readonly secret: string
  readonly generation: number
  readonly key: string
  readonly question: Question
}

/** Policies may change, so questions are asked again in each period of this length. */
const periodMs = 20_000
/** The agent takes no more in one request. */
const questionsMax = 64

const known = signal<Known>({ secret: '', answers: new Map() })
const state = signal<AccessControl>('unknown')
/** How often this tab has changed tokens or policies: answers to earlier questions no longer count. */
let generation = 0

/** Whether the agent asks for tokens at all. Known after the first question. */
export const accessControl = computed(() => state.value)

const period = computed(() => Math.floor(nowMs.value / periodMs))

/** Of what needs no right. */
export const granted: Right = { isAllowed: true, reason: '' }
const unknown: Right = { isAllowed: false, reason: 'The rights of the token are not known yet.' }

/**
 * Whether the token may do this: `may('key', 'write', 'shop/port')`. Resources, accesses and names are those of
 * policies; `name` is left out for resources without names. Call it while a component is drawn.
 */
export function may(resource: string, access: string, name = ''): Right {
  if (state.value === 'off') return granted
  const question = { Resource: resource, Access: access, Segment: name }
  const key = JSON.stringify(question)
  const { secret, answers } = known.value
  const now = token.value
  const answer = secret === now ? answers.get(key) : undefined
  if (answer === undefined || answer.period !== period.value)
    batch.add(`${now} ${generation} ${key}`, { secret: now, generation, key, question })
  if (answer === undefined) return unknown
  return answer.isAllowed ? granted : { isAllowed: false, reason: lackText(question) }
}

/** Asks for all rights again, because this tab has changed tokens or policies. */
export function forgetRights(): void {
  generation++
  const { secret, answers } = known.peek()
  const old = [...answers].map(([key, { isAllowed }]) => [key, { isAllowed, period: 0 }] as const)
  known.value = { secret, answers: new Map(old) }
}

function lackText({ Resource, Access, Segment }: Question): string {
  const level = Access === 'write-prefix' ? 'write' : Access
  const right = `${Resource}:${level}${Segment === '' ? '' : ` on "${Segment}"`}`
  return token.value === '' ? `This needs a token with ${right}.` : `The token lacks ${right}.`
}

const batch = new Batch<Asked>(async (items) => {
  for (let from = 0; from < items.length; from += questionsMax) {
    // The pages ask again for another token, and after a change.
    const isCurrent = (asked: Asked): boolean =>
      asked.secret === token.peek() && asked.generation === generation
    const some = items.slice(from, from + questionsMax).filter(isCurrent)
    if (some.length === 0) continue
    const isAllowed = await answersTo(some.map(({ question }) => question))
    if (some.every(isCurrent)) keep(some, isAllowed)
  }
})

function keep(asked: readonly Asked[], isAllowed: readonly boolean[]): void {
  const secret = token.peek()
  const before = known.peek()
  const answers = new Map(before.secret === secret ? before.answers : [])
  for (const [at, { key }] of asked.entries())
    answers.set(key, { isAllowed: isAllowed[at] ?? true, period: period.peek() })
  known.value = { secret, answers }
}

/** Without an answer everything counts as allowed: the agent refuses what is not, in its own words. */
async function answersTo(questions: readonly Question[]): Promise<readonly boolean[]> {
  try {
    const rows = await sendJson<readonly { readonly Allow: boolean }[]>(
      'POST',
      'internal/acl/authorize',
      questions,
    )
    state.value = 'on'
    return rows.map(({ Allow }) => Allow)
  } catch (error) {
    state.value = (error as ApiFault).status === 401 ? 'off' : 'on'
    return []
  }
}
