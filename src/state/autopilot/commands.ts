import { hasFields, isFlag, isOptional, isWhole } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { minQuorumMax } from './model.ts'
import { autopilotFormat } from './schema.ts'

/** Changes settings. A setting that is left out stays. The value of the outcome says whether it was done. */
export interface AutopilotSetCommand {
  readonly kind: 'autopilot-set'
  readonly cleanupDeadServers?: boolean | undefined
  readonly minQuorum?: number | undefined
  /** Only if the settings still have this modify index. */
  readonly cas?: number | undefined
}

/** For a restore: no setting was changed. */
export interface AutopilotResetCommand {
  readonly kind: 'autopilot-reset'
}

export type AutopilotCommand = AutopilotSetCommand | AutopilotResetCommand

const isQuorum: Shape = (value) =>
  isWhole(value) && Number(value) >= 0 && Number(value) <= minQuorumMax

export const autopilotCommands: Readonly<Record<AutopilotCommand['kind'], CommandKind>> = {
  'autopilot-set': {
    since: autopilotFormat,
    about: ({ cleanupDeadServers, minQuorum }: AutopilotSetCommand) => ({
      cleanupDeadServers,
      minQuorum,
    }),
    shape: hasFields({
      cleanupDeadServers: isOptional(isFlag),
      minQuorum: isOptional(isQuorum),
      cas: isOptional(isWhole),
    }),
  },
  'autopilot-reset': { since: autopilotFormat, about: () => ({}), shape: hasFields({}) },
}
