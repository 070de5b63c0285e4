import { formatDuration } from '../base/duration.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { minQuorumMax } from '../state/autopilot/model.ts'
import type { AutopilotConfiguration, AutopilotSettings } from '../state/autopilot/model.ts'
import { decodeBody, duration, flag, integer, object, text } from './decode.ts'

/** PUT operator/autopilot/configuration. */
export const autopilotShape = object({
  CleanupDeadServers: flag,
  LastContactThreshold: duration,
  MaxTrailingLogs: integer,
  MinQuorum: integer,
  ServerStabilizationTime: duration,
  RedundancyZoneTag: text,
  DisableUpgradeMigration: flag,
  UpgradeVersionTag: text,
  CreateIndex: integer,
  ModifyIndex: integer,
})

/** What the health of a server is judged by. */
export interface HealthLimits {
  readonly silenceMsMax: number
  readonly trailingMax: number
}

/** A field of Consul's configuration that cannot be set: its value here, and why. */
interface Rule {
  readonly field: Exclude<keyof NonNullable<ReturnType<typeof autopilotShape>>, `${string}Index`>
  /** Durations in milliseconds. */
  readonly value: boolean | number | string
  readonly isDuration?: boolean
  readonly why: string
}

function rulesOf({ silenceMsMax, trailingMax }: HealthLimits): readonly Rule[] {
  const enterprise = 'svcd has neither redundancy zones nor automated upgrades'
  return [
    {
      field: 'LastContactThreshold',
      value: silenceMsMax,
      isDuration: true,
      why: 'set it with -member-timeout on every server',
    },
    {
      field: 'MaxTrailingLogs',
      value: trailingMax,
      why: 'a server keeps this many log entries for servers that catch up',
    },
    {
      field: 'ServerStabilizationTime',
      value: 0,
      isDuration: true,
      why: 'a new server gets its vote as soon as it has caught up',
    },
    { field: 'RedundancyZoneTag', value: '', why: enterprise },
    { field: 'DisableUpgradeMigration', value: false, why: enterprise },
    { field: 'UpgradeVersionTag', value: '', why: enterprise },
  ]
}

/** The configuration as Consul shows it. */
export function autopilotJson(
  settings: AutopilotConfiguration,
  limits: HealthLimits,
): Readonly<Record<string, unknown>> {
  return {
    CleanupDeadServers: settings.cleanupDeadServers,
    MinQuorum: settings.minQuorum,
    ...Object.fromEntries(rulesOf(limits).map((rule) => [rule.field, valueOf(rule)])),
    CreateIndex: settings.createIndex,
    ModifyIndex: settings.modifyIndex,
  }
}

/**
 * The settings in a body. Throws `invalid-autopilot-configuration`, and `autopilot-fixed` if another field asks for
 * something else than what holds.
 */
export function settingsIn(
  body: Buffer | undefined,
  limits: HealthLimits,
): Partial<AutopilotSettings> {
  const asked = readConfiguration(body)
  const { CleanupDeadServers: cleanupDeadServers, MinQuorum: minQuorum } = asked
  if (minQuorum !== undefined && (minQuorum < 0 || minQuorum > minQuorumMax)) {
    const reason = `MinQuorum ${minQuorum} is not between 0 and ${minQuorumMax}`
    throw svcdError('invalid-autopilot-configuration', { reason })
  }
  const faults = rulesOf(limits)
    // Clients in Go send zero for a field that they leave as it is.
    .filter(({ field, value }) => !isZero(asked[field]) && asked[field] !== value)
    .map((rule) => `${rule.field} is ${JSON.stringify(valueOf(rule))}: ${rule.why}.`)
  if (faults.length > 0) throw svcdError('autopilot-fixed', { reason: faults.join(' ') })
  return {
    ...(cleanupDeadServers !== undefined && { cleanupDeadServers }),
    ...(minQuorum !== undefined && { minQuorum }),
  }
}

function isZero(value: Rule['value'] | undefined): boolean {
  return value === undefined || value === 0 || value === '' || value === false
}

function valueOf({ value, isDuration }: Rule): Rule['value'] {
  return isDuration === true ? formatDuration(value as number) : value
}

function readConfiguration(body: Buffer | undefined) {
  try {
    return decodeBody(body, autopilotShape)
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    const reason = error.message.replace(/^Request decode failed: /, '')
    throw svcdError('invalid-autopilot-configuration', { reason })
  }
}
