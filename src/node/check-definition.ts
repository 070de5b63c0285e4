import { formatDuration, parseDuration } from '../base/duration.ts'
import type { AgentCheckDefinition, CheckPlan } from '../api/backend.ts'
import { privateField } from '../catalog/model.ts'
import type { CheckDefinition } from '../catalog/model.ts'

/** How an agent runs a check: all of its definition but the catalog's row. */
export type CheckRun = Omit<AgentCheckDefinition, 'check'>

type Definition = CheckDefinition['definition']

/** What no API shows: whose the check is, and what may hold credentials. */
interface Private {
  readonly Owner?: CheckRun['owner']
  readonly Header?: Readonly<Record<string, readonly string[]>>
  readonly Body?: string
}

/**
 * What the catalog keeps of how a check is run, in the words of Consul's HealthCheck.Definition:
 * enough to run it again when only the catalog is left of it. Empty fields are left out.
 */
export function catalogDefinition(run: CheckRun): Definition {
  const { plan, owner: Owner } = run
  if (plan.kind === 'none') return { [privateField]: { Owner } satisfies Private }
  const fields: Record<string, unknown> =
    plan.kind === 'ttl' ? { TTL: formatDuration(plan.ttlMs) } : httpFields(plan)
  fields[privateField] = { Owner, ...(plan.kind === 'http' && secretsOf(plan)) } satisfies Private
  if (run.successBeforePassing > 0) fields['SuccessBeforePassing'] = run.successBeforePassing
  if (run.failuresBeforeWarning > 0) fields['FailuresBeforeWarning'] = run.failuresBeforeWarning
  if (run.failuresBeforeCritical > 0) fields['FailuresBeforeCritical'] = run.failuresBeforeCritical
  if (run.deregisterAfterMs > 0) {
    fields['DeregisterCriticalServiceAfter'] = formatDuration(run.deregisterAfterMs)
  }
  return fields
}

function httpFields(plan: Extract<CheckPlan, { kind: 'http' }>): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    HTTP: plan.url,
    Interval: formatDuration(plan.intervalMs),
    Timeout: formatDuration(plan.timeoutMs),
  }
  if (plan.method !== 'GET') fields['Method'] = plan.method
  if (plan.tlsSkipVerify) fields['TLSSkipVerify'] = true
  if (plan.tlsServerName !== '') fields['TLSServerName'] = plan.tlsServerName
  if (!plan.followRedirects) fields['DisableRedirects'] = true
  return fields
}

function secretsOf({ headers, body }: Extract<CheckPlan, { kind: 'http' }>): Private {
  return {
    ...(Object.keys(headers).length > 0 && { Header: headers }),
    ...(body !== '' && { Body: body }),
  }
}

/** Who an agent registered a check for; undefined: it was written straight to the catalog. */
export function ownerOf({ definition }: Pick<CheckDefinition, 'definition'>): Private['Owner'] {
  return privateOf(definition).Owner
}

function privateOf(definition: Definition): Private {
  return definition[privateField] ?? {}
}

/** How to run a check of which only the catalog's row is left; undefined: it is not an agent's. */
export function runOf({
  type,
  definition,
}: Pick<CheckDefinition, 'type' | 'definition'>): CheckRun | undefined {
  const owner = ownerOf({ definition })
  if (owner === undefined) return undefined
  // Nobody runs a maintenance check, but the agent that set it must be able to take it back.
  const plan: CheckPlan | undefined = type === 'maintenance' ? { kind: 'none' } : planOf(definition)
  if (plan === undefined) return undefined
  return {
    owner,
    plan,
    successBeforePassing: numberOf(definition['SuccessBeforePassing']),
    failuresBeforeWarning: numberOf(definition['FailuresBeforeWarning']),
    failuresBeforeCritical: numberOf(definition['FailuresBeforeCritical']),
    deregisterAfterMs: durationOf(definition['DeregisterCriticalServiceAfter']),
  }
}

function planOf(definition: Definition): CheckPlan | undefined {
  const ttlMs = durationOf(definition['TTL'])
  if (ttlMs > 0) return { kind: 'ttl', ttlMs }
  const url = textOf(definition['HTTP'])
  const intervalMs = durationOf(definition['Interval'])
  const { Header: headers = {}, Body: body = '' } = privateOf(definition)
  if (url === '' || intervalMs <= 0) return undefined
  return {
    kind: 'http',
    url,
    method: textOf(definition['Method']) || 'GET',
    headers,
    body,
    intervalMs,
    timeoutMs: durationOf(definition['Timeout']) || Math.min(10_000, intervalMs),
    tlsSkipVerify: definition['TLSSkipVerify'] === true,
    tlsServerName: textOf(definition['TLSServerName']),
    followRedirects: definition['DisableRedirects'] !== true,
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function durationOf(value: unknown): number {
  return parseDuration(textOf(value)) ?? 0
}
