import { hasFields, isOneOf, isOptional, isRecordOf, isText, isWhole } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import { isUuid } from '../../base/uuid.ts'
import type { CommandKind } from '../machine/family.ts'
import { shownName } from './model.ts'
import type { IntentionDefinition, IntentionTimes } from './model.ts'
import { intentionFormat } from './schema.ts'

/** Adds or replaces an intention. The definition has been validated. */
export interface IntentionPutCommand {
  readonly kind: 'intention-put'
  /**
   * Whether an intention with this ID must not or must be there. `upsert` replaces the one with the same source and
   * destination, which keeps its ID. `any` is for a restore.
   */
  readonly mode: 'create' | 'update' | 'upsert' | 'any'
  readonly id: string
  readonly intention: IntentionDefinition
  /** Of a restore; left out, the time of the command counts. */
  readonly times?: IntentionTimes
}

export interface IntentionDeleteCommand {
  readonly kind: 'intention-delete'
  readonly id: string
}

export type IntentionCommand = IntentionPutCommand | IntentionDeleteCommand

/** Why a command has changed nothing: the value of its outcome. */
export type IntentionRefusal =
  /** There is no intention with this ID, or there is one. */
  | 'unknown-id'
  | 'taken-id'
  /** Another intention has the same source and destination. */
  | 'taken-pair'

const isId: Shape = (value) => typeof value === 'string' && isUuid(value)
const isName = hasFields({ namespace: isText, name: isText })

const isIntention = hasFields({
  source: isName,
  destination: isName,
  action: isOneOf('allow', 'deny'),
  description: isText,
  meta: isRecordOf(isText),
  defaultAddress: isText,
  defaultPort: isWhole,
})

export const intentionCommands: Readonly<Record<IntentionCommand['kind'], CommandKind>> = {
  'intention-put': {
    since: intentionFormat,
    about: ({ id, intention: { source, destination, action } }: IntentionPutCommand) => ({
      intention: id,
      source: shownName(source),
      destination: shownName(destination),
      action,
    }),
    shape: hasFields({
      id: isId,
      mode: isOneOf('create', 'update', 'upsert', 'any'),
      intention: isIntention,
      times: isOptional(hasFields({ createTimeMs: isWhole, updateTimeMs: isWhole })),
    }),
  },
  'intention-delete': {
    since: intentionFormat,
    needs: 'none',
    about: ({ id }: IntentionDeleteCommand) => ({ intention: id }),
    shape: hasFields({ id: isId }),
  },
}
