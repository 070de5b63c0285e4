import type { ChangeTimes, CheckEntry } from '../client/rows.ts'
import { refusedStatus, type Client } from '../client/client.ts'
import { formatDuration } from '../base/duration.ts'
import { SvcdError } from '../base/errors.ts'

/** When a check changed last. */
export type Since = (check: CheckEntry) => string

const entriesMax = 500

/**
 * When each of these checks changed last, as `2026-11-27T09:12:03Z`: it has had its status at least since
 * then. `before …` if that is longer ago than the cluster remembers; '' if the agent does not know.
 */
export async function sinceOf(client: Client, checks: readonly CheckEntry[]): Promise<Since> {
  const entries = [...new Set(checks.map(({ ModifyIndex }) => ModifyIndex))]
  const parts: Promise<ChangeTimes | undefined>[] = []
  for (let at = 0; at < entries.length; at += entriesMax) {
    parts.push(timesOrNothing(client, entries.slice(at, at + entriesMax)))
  }
  const found = await Promise.all(parts)
  const times = new Map(found.flatMap((part) => Object.entries(part?.Times ?? {})))
  const oldest = found[0]?.Oldest ?? ''
  return ({ ModifyIndex }) => {
    const time = times.get(String(ModifyIndex))
    if (time !== undefined) return seconds(time)
    return oldest === '' ? '' : `before ${seconds(oldest)}`
  }
}

async function timesOrNothing(
  client: Client,
  entries: readonly number[],
): Promise<ChangeTimes | undefined> {
  try {
    return await client.times(entries)
  } catch (error) {
    if (isUnknownQuestion(error)) return undefined
    throw error
  }
}

/** An older agent, or Consul's, does not have the endpoints that only svcd has. */
export function isUnknownQuestion(error: unknown): boolean {
  if (error instanceof SvcdError && error.code === 'not-an-agent') return true
  return [404, 501].includes(refusedStatus(error) ?? 0)
}

function seconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}

/** For a column: on a terminal, where a line is short, how long ago; else the time itself. */
export function sinceCell(since: string, nowMs: number, isTerminal: boolean): string {
  const age = ago(since, nowMs)
  if (!isTerminal || age === '') return since
  return since.startsWith('before ') ? `over ${age} ago` : `${age} ago`
}

/** How long ago a time of {@link sinceOf} was, in its two largest units: `3m20s`; '' when it is not known. */
export function ago(since: string, nowMs: number): string {
  const atMs = Date.parse(since.replace(/^before /, ''))
  if (Number.isNaN(atMs)) return ''
  const ms = Math.max(0, Math.floor((nowMs - atMs) / 1000) * 1000)
  const days = Math.floor(ms / 86_400_000)
  if (days > 0) return `${days}d${Math.floor((ms % 86_400_000) / 3_600_000)}h`
  return formatDuration(ms).replace(/(h\d+m)\d+s$/, '$1')
}
