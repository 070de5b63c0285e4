import type { ProbePlan } from '../../definition/check-plan.ts'
import { svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'
import type { Check } from '../../state/catalog/model.ts'
import type { CatalogReader } from '../../state/catalog/query.ts'
import type { Config } from '../../config/options.ts'
import { probeGrpc, probeH2Ping } from '../../probes/http2.ts'
import { probeHttp } from '../../probes/http.ts'
import { critical, passing } from '../../probes/result.ts'
import type { ProbeCredentials, ProbeResult } from '../../probes/result.ts'
import { probeScript } from '../../probes/script.ts'
import { probeTcp, probeUdp } from '../../probes/socket.ts'
import type { Probe } from './runner.ts'

export interface ProbesParts {
  readonly nodeName: string
  readonly read: <T>(query: (catalog: CatalogReader) => T) => T
  readonly credentials?: ProbeCredentials
  readonly scripts?: ScriptRights
}

/** Whose scripts are run: those of files, and those registered over the API. */
export interface ScriptRights {
  readonly file: boolean
  readonly agent: boolean
}

export function scriptRights(options: Config['checks']): ScriptRights {
  const { enableScripts, enableLocalScripts } = options
  return { agent: enableScripts, file: enableScripts || enableLocalScripts }
}

/** The error of a script that is not to be run; undefined when it may be. */
export function scriptRefusal(
  rights: ScriptRights,
  owner: keyof ScriptRights,
): SvcdError | undefined {
  if (rights[owner]) return undefined
  const isRemote = owner === 'agent'
  const where = isRemote ? ' from remote calls' : ''
  const option = `'enable_script_checks'${isRemote ? '' : " or 'enable_local_script_checks'"}`
  return svcdError('scripts-disabled', { where, option })
}

/** How an agent runs a check once, whatever its kind. */
export function probes(parts: ProbesParts): Probe {
  const { nodeName, read, credentials = {}, scripts = { file: false, agent: false } } = parts
  return async (plan, { checkId, owner }, signal) => {
    switch (plan.kind) {
      case 'http':
        return probeHttp(plan, signal, credentials)
      case 'tcp':
        return probeTcp(plan, signal, credentials)
      case 'udp':
        return probeUdp(plan, signal)
      case 'grpc':
        return probeGrpc(plan, signal, credentials)
      case 'h2ping':
        return probeH2Ping(plan, signal, credentials)
      case 'script':
        return runScript(plan, signal, scriptRefusal(scripts, owner))
      case 'alias':
        return read((catalog) => aliasResult(plan, checkId, nodeName, catalog))
    }
  }
}

/** A script may have come from a time, or from a file, when it was allowed. */
async function runScript(
  plan: Extract<ProbePlan, { kind: 'script' }>,
  signal: AbortSignal,
  refusal: SvcdError | undefined,
): Promise<ProbeResult> {
  return refusal === undefined ? probeScript(plan, signal) : critical(refusal.message, 'proof')
}

type AliasPlan = Extract<ProbePlan, { kind: 'alias' }>

/** The worst of the checks of an instance and its node, as this node's copy of the catalog has them. */
function aliasResult(
  { node, serviceId }: AliasPlan,
  checkId: string,
  ownName: string,
  catalog: CatalogReader,
): ProbeResult {
  const name = node === '' ? ownName : node
  if (serviceId !== '' && catalog.serviceHead(name, serviceId) === undefined) {
    return critical(`Service ${serviceId} could not be found on node ${name}`, 'proof')
  }
  if (catalog.node(name) === undefined) {
    return critical(`Node ${name} could not be found`, 'proof')
  }
  const isSelf = (check: Check): boolean =>
    check.checkId === checkId && check.node.toLowerCase() === ownName.toLowerCase()
  const checks = catalog.checksOfInstance(name, serviceId).filter((check) => !isSelf(check))
  if (checks.length === 0) return passing('No checks found.')
  const failing =
    checks.find(({ status }) => status === 'critical') ??
    checks.find(({ status }) => status === 'warning')
  if (failing === undefined) return passing('All checks passing.')
  const output = `Aliased check ${JSON.stringify(failing.name)} failing: ${failing.output}`
  // An alias hears nothing itself.
  return { ...critical(output, failing.evidence), status: failing.status }
}
