import type { ServiceRow } from './rows.ts'
import type { Change } from './touch.ts'
import { subject } from '../machine/versions.ts'

/**
 * `subjects` has the index at which each name last changed. The name of a removed subject is kept
 * for this many entries of the log and then forgotten, at entries whose index is a multiple of it.
 * So the table contains the live names, and at most the names of the last two times as many
 * entries.
 */
export const goneEntries = 4096

/** Whether names are forgotten at this entry: a function of the log alone, as replicas batch differently. */
export function isForgettingDue(index: number): boolean {
  return index % goneEntries === 0
}

/**
 * No name that was forgotten has changed after this entry, as of `appliedIndex`. It answers for all of
 * them, and for names that never were, as Consul's last extinction index does: never less than what was
 * answered before, and less than the index of whatever comes.
 */
export function forgottenUpTo(appliedIndex: number): number {
  return Math.max(0, appliedIndex - (appliedIndex % goneEntries) - goneEntries)
}

/** A name comes to be, or one more of its kind: it may have been gone. */
export function noteCome(subject: string, { lists }: Change): void {
  lists.deleteGone(subject)
}

export function noteGone(subject: string, { lists }: Change): void {
  lists.putGone(subject)
}

/** An instance no longer has this name, and it may have been the last one. */
export function touchServiceGone(service: ServiceRow, change: Change): void {
  const name = subject.service(service.name)
  change.touch(name)
  if (change.sql.hasNamed.get(service.name_key) === undefined) noteGone(name, change)
}

/** Forgets the names that are gone for long. Everything touched by earlier entries must be written. */
export function forgetGone(index: number, lists: Change['lists']): void {
  lists.forgetGone(forgottenUpTo(index))
}
