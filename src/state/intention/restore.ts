import { isDeepStrictEqual } from 'node:util'
import type { IntentionCommand } from './commands.ts'
import { keyOf } from './model.ts'
import type { Intention, IntentionDefinition, IntentionTimes } from './model.ts'
import type { IntentionReader } from './reader.ts'

/**
 * The commands that turn the present intentions into the archived ones. One with other names goes first, so that its
 * source and destination are free.
 */
export function* restoreIntentions(
  archived: IntentionReader,
  present: IntentionReader,
): Generator<readonly IntentionCommand[] | undefined> {
  for (const intention of present.intentions()) {
    const { id } = intention
    const before = archived.intention(id)
    const isKept = before !== undefined && pairOf(before) === pairOf(intention)
    yield isKept ? undefined : [{ kind: 'intention-delete', id }]
  }
  for (const row of archived.intentions()) {
    const { id } = row
    const stored = storedPart(row)
    const before = present.intention(id)
    const isSame = before !== undefined && isDeepStrictEqual(storedPart(before), stored)
    yield isSame ? undefined : [{ kind: 'intention-put', id, mode: 'any', ...stored }]
  }
}

function pairOf({ source, destination }: Intention): string {
  return JSON.stringify([keyOf(source), keyOf(destination)])
}

function storedPart({
  id: _id,
  createIndex: _c,
  modifyIndex: _m,
  createTimeMs,
  updateTimeMs,
  ...intention
}: Intention): { readonly intention: IntentionDefinition; readonly times: IntentionTimes } {
  return { intention, times: { createTimeMs, updateTimeMs } }
}
