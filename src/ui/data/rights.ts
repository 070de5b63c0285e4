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

interface Answer {
  readonly isAllowed: boolean
  /** The epoch in which it was asked for. */
  readonly epoch: string
}

interface Known {
  /** Whose rights these are. */
  readonly secret: string
  readonly answers: ReadonlyMap<string, Answer>
}

export type AccessControl = 'unknown' | 'on' | 'off'

interface Asked {
  readonly secret: string
  readonly epoch: string
  readonly key: string
  readonly question: Question
}

/** Others may change policies, so questions are asked again in each period of this length. */
const periodMs = 20_000
/** The agent takes no more in one request. */
const questionsMax = 64

const known = signal<Known>({ secret: '', answers: new Map() })
const state = signal<AccessControl>('unknown')
/** How often this tab has changed tokens or policies. */
const changes = signal(0)

/** Whether the agent asks for tokens at all. Known after the first question. */
export const accessControl = computed(() => state.value)

/** In another epoch questions are asked again. Until the answer comes, the one before counts. */
const epoch = computed(() => `${changes.value} ${Math.floor(nowMs.value / periodMs)}`)

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
  const asked = { secret: token.value, epoch: epoch.value, key, question }
  const { secret, answers } = known.value
  const answer = secret === asked.secret ? answers.get(key) : undefined
  if (answer?.epoch !== asked.epoch) batch.add(`${asked.secret} ${asked.epoch} ${key}`, asked)
  if (answer === undefined) return unknown
  return answer.isAllowed ? granted : { isAllowed: false, reason: lackText(question) }
}

/** Asks for all rights again, because this tab has changed tokens or policies. */
export function forgetRights(): void {
  changes.value++
}

function lackText({ Resource, Access, Segment }: Question): string {
  const level = Access === 'write-prefix' ? 'write' : Access
  const right = `${Resource}:${level}${Segment === '' ? '' : ` on "${Segment}"`}`
  return token.value === '' ? `This needs a token with ${right}.` : `The token lacks ${right}.`
}

/** Whether it is about the token that the tab has now. For another one the page asks again. */
function isOfToken({ secret }: Asked): boolean {
  return secret === token.peek()
}

const batch = new Batch<Asked>(async (items) => {
  for (let from = 0; from < items.length; from += questionsMax) {
    const some = items.slice(from, from + questionsMax).filter(isOfToken)
    if (some.length === 0) continue
    const isAllowed = await answersTo(some.map(({ question }) => question))
    if (some.every(isOfToken)) keep(some, isAllowed)
  }
})

/** Keeps the answers to questions for the token of this tab. */
function keep(asked: readonly Asked[], isAllowed: readonly boolean[]): void {
  const secret = token.peek()
  const before = known.peek()
  const answers = new Map(before.secret === secret ? before.answers : [])
  for (const [at, { key, epoch }] of asked.entries())
    answers.set(key, { isAllowed: isAllowed[at] ?? true, epoch })
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
