import type { Caller } from '../../../access/caller.ts'
import { SvcdError, svcdError } from '../../../base/errors.ts'
import type { LocalAgent } from '../../../ports/agent.ts'

/** How many checks or services are compared. The limit bounds the work for a client that repeats its mistake. */
const lookedAtMax = 1000
const shownMax = 3

interface Candidate {
  readonly id: string
  /** Other words that people may use instead: its name, the ID of its service. */
  readonly aliases: readonly string[]
}

/**
 * Runs `act`. If it rejects with `unknown-check-id` or `unknown-service-id`, the error gets a list of
 * similar IDs of this agent, as far as the caller may read them.
 */
export async function named(
  { agent, caller }: { readonly agent: LocalAgent; readonly caller: Caller },
  act: () => Promise<void>,
  id: string,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    if (error.code === 'unknown-service-id') throw unknownService(agent, id, caller)
    if (error.code === 'unknown-check-id') throw unknownCheck(agent, id, caller)
    throw error
  }
}

export function unknownService(agent: LocalAgent, id: string, caller: Caller): SvcdError {
  const near = nearServices(agent, id, caller)
  if (near === '') return svcdError('unknown-service-id', { id })
  return svcdError('unknown-service-id-near', { id, near })
}

function unknownCheck(agent: LocalAgent, id: string, { rights }: Caller): SvcdError {
  const candidates = firstOf(agent.checks(), ({ checkId, name, node, serviceId, serviceName }) => {
    const isSeen =
      serviceName === ''
        ? rights.allows('node', node, 'read')
        : rights.allows('service', serviceName, 'read')
    if (!isSeen) return undefined
    return { id: checkId, aliases: [`service:${serviceId}`, serviceId, name] }
  })
  const near = shown(nearestIds(id, candidates))
  if (near === '') return svcdError('unknown-check-id', { id })
  return svcdError('unknown-check-id-near', { id, near })
}

/** `"web-1" or "web-2"`; '' when nothing is near. */
export function nearServices(agent: LocalAgent, id: string, { rights }: Caller): string {
  const candidates = firstOf(agent.services(), (service) =>
    rights.allows('service', service.name, 'read')
      ? { id: service.id, aliases: [service.name] }
      : undefined,
  )
  return shown(nearestIds(id, candidates))
}

function firstOf<T>(
  rows: Iterable<T>,
  candidateOf: (row: T) => Candidate | undefined,
): readonly Candidate[] {
  const candidates: Candidate[] = []
  for (const row of rows) {
    if (candidates.length === lookedAtMax) break
    const candidate = candidateOf(row)
    if (candidate !== undefined) candidates.push(candidate)
  }
  return candidates
}

function shown(ids: readonly string[]): string {
  const quoted = ids.slice(0, shownMax).map((id) => JSON.stringify(id))
  const last = quoted.pop()
  if (last === undefined) return ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}

/**
 * The candidates that `asked` may stand for, the most probable first: first those with that other
 * name, or else those with the smallest number of letters to change, up to a third of them.
 */
export function nearestIds(asked: string, candidates: readonly Candidate[]): readonly string[] {
  const wanted = asked.toLowerCase()
  if (wanted === '') return []
  const same = candidates.filter(({ id, aliases }) =>
    [id, ...aliases].some((alias) => alias.toLowerCase() === wanted),
  )
  if (same.length > 0) return same.map(({ id }) => id)
  let least = Math.min(3, Math.floor(wanted.length / 3))
  let nearest: string[] = []
  for (const { id } of candidates) {
    const changes = changesBetween(wanted, id.toLowerCase(), least)
    if (changes > least) continue
    if (changes < least) nearest = []
    least = changes
    nearest.push(id)
  }
  return nearest
}

/** Levenshtein's distance; anything above `max` when it is larger. */
function changesBetween(a: string, b: string, max: number): number {
  const far = max + 1
  if (Math.abs(a.length - b.length) > max || a.length > 256) return far
  // Only cells at most `max` off the diagonal can hold so little: 2·max+1 in a row.
  let row = Array.from({ length: b.length + 1 }, (_, at) => Math.min(at, far))
  let next = Array.from({ length: b.length + 1 }, () => far)
  for (let i = 1; i <= a.length; i++) {
    const [first, last] = [Math.max(1, i - max), Math.min(b.length, i + max)]
    next[first - 1] = first === 1 ? Math.min(i, far) : far
    let least = next[first - 1] ?? far
    for (let j = first; j <= last; j++) {
      const replaced = (row[j - 1] ?? far) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const cost = Math.min(replaced, (row[j] ?? far) + 1, (next[j - 1] ?? far) + 1, far)
      next[j] = cost
      if (cost < least) least = cost
    }
    if (last < b.length) next[last + 1] = far
    if (least > max) return far
    ;[row, next] = [next, row]
  }
  return row[b.length] ?? far
}
