import { formatDuration, parseDuration } from '../../base/duration.ts'
import type { AgentCheckDefinition } from '../../definition/agent-definition.ts'
import { checkPlan } from '../../definition/check-plan.ts'
import type { CheckPlan, ProbePlan } from '../../definition/check-plan.ts'
import { serviceCheckShape } from '../../definition/shapes.ts'
import { SvcdError } from '../../base/errors.ts'
import { hostPort } from '../../base/host-port.ts'
import { privateField } from '../../state/catalog/model.ts'
import type { CheckDefinition } from '../../state/catalog/model.ts'

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
    plan.kind === 'ttl'
      ? { TTL: formatDuration(plan.ttlMs) }
      : {
          ...probeFields(plan),
          ...(plan.kind !== 'alias' && {
            Interval: formatDuration(plan.intervalMs),
            Timeout: formatDuration(plan.timeoutMs),
          }),
        }
  fields[privateField] = { Owner, ...(plan.kind === 'http' && secretsOf(plan)) } satisfies Private
  if (run.successBeforePassing > 0) fields['SuccessBeforePassing'] = run.successBeforePassing
  if (run.failuresBeforeWarning > 0) fields['FailuresBeforeWarning'] = run.failuresBeforeWarning
  if (run.failuresBeforeCritical > 0) fields['FailuresBeforeCritical'] = run.failuresBeforeCritical
  if (run.deregisterAfterMs > 0) {
    fields['DeregisterCriticalServiceAfter'] = formatDuration(run.deregisterAfterMs)
  }
  return fields
}

function probeFields(plan: ProbePlan): Definition {
  switch (plan.kind) {
    case 'http':
      return {
        HTTP: plan.url,
        ...(plan.method !== 'GET' && { Method: plan.method }),
        ...(!plan.followRedirects && { DisableRedirects: true }),
        ...tlsFields(plan),
      }
    case 'tcp':
      return {
        TCP: hostPort(plan.host, plan.port),
        ...(plan.useTls && { TCPUseTLS: true }),
        ...tlsFields(plan),
      }
    case 'udp':
      return { UDP: hostPort(plan.host, plan.port) }
    case 'grpc': {
      const target =
        hostPort(plan.host, plan.port) + (plan.service === '' ? '' : `/${plan.service}`)
      return { GRPC: target, ...(plan.useTls && { GRPCUseTLS: true }), ...tlsFields(plan) }
    }
    case 'h2ping':
      return {
        H2PING: hostPort(plan.host, plan.port),
        H2PingUseTLS: plan.useTls,
        ...tlsFields(plan),
      }
    case 'script':
      return { ScriptArgs: plan.args }
    case 'alias':
      return {
        ...(plan.node !== '' && { AliasNode: plan.node }),
        ...(plan.serviceId !== '' && { AliasService: plan.serviceId }),
      }
  }
}

function tlsFields(plan: { tlsSkipVerify: boolean; tlsServerName: string }): Definition {
  return {
    ...(plan.tlsSkipVerify && { TLSSkipVerify: true }),
    ...(plan.tlsServerName !== '' && { TLSServerName: plan.tlsServerName }),
  }
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

/**
 * How to run a check of which only the catalog's row is left; undefined: it is not an agent's, or it
 * is a script. What another server can write must never be run here as a command.
 */
export function runOf({
  type,
  definition,
}: Pick<CheckDefinition, 'type' | 'definition'>): CheckRun | undefined {
  const owner = ownerOf({ definition })
  if (owner === undefined) return undefined
  // A maintenance check has no probe, but the agent that set it must be able to remove it.
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

/** Reads a plan back by the rules of the API, which wrote it. */
function planOf(definition: Definition): CheckPlan | undefined {
  if ('ScriptArgs' in definition) return undefined
  const { Header = {}, Body = '' } = privateOf(definition)
  const { [privateField]: _private, DeregisterCriticalServiceAfter: _after, ...fields } = definition
  try {
    return checkPlan(serviceCheckShape({ ...fields, Header, Body }, ''), [])
  } catch (error) {
    if (error instanceof SvcdError) return undefined
    throw error
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
