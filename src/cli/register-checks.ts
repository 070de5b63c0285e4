import type { Command } from 'commander'
import type { CheckRegistration } from '../api/client-rows.ts'
import { nearestDuration, parseDuration } from '../base/duration.ts'
import { svcdError, type SvcdError } from '../base/errors.ts'

/** What `svcd register` is told of the checks of a service. */
export interface CheckOptions {
  readonly checkHttp?: string
  readonly checkTcp?: string
  readonly checkUdp?: string
  readonly checkGrpc?: string
  readonly checkH2ping?: string
  readonly checkScript?: string
  readonly checkAlias?: string
  readonly checkTtl?: string
  readonly interval?: string
  readonly timeout?: string
  readonly deregisterAfter?: string
}

export function addCheckOptions(command: Command): void {
  command
    .option('--check-http <url>', 'Ask this URL: 2xx passes, 429 warns, all else is critical.')
    .option('--check-tcp <host:port>', 'Connect: that it can be done passes.')
    .option('--check-udp <host:port>', 'Send a datagram: critical when the host refuses it.')
    .option('--check-grpc <host:port[/service]>', "Ask gRPC's health service: SERVING passes.")
    .option('--check-h2ping <host:port>', 'Ping over HTTP/2 with TLS.')
    .option('--check-script <command>', 'Run it by sh: exit code 0 passes, 1 warns.')
    .option('--check-alias <id>', 'Take the health of this service of the agent.')
    .option('--check-ttl <duration>', 'Expect a report at least this often, else critical.')
    .option('--interval <duration>', 'How often the checks run. (default: 10s)')
    .option('--timeout <duration>', 'How long a check waits. (default: 10s, a script 30s)')
    .option('--deregister-after <duration>', 'Remove the service once critical for this long.')
}

/** The checks that the options ask for, one of each kind. */
export function checksOf(options: CheckOptions): readonly CheckRegistration[] {
  const after = options.deregisterAfter
  const common =
    after === undefined
      ? {}
      : { DeregisterCriticalServiceAfter: duration('--deregister-after', after) }
  const probed = probedChecks(options)
  const isPaced = options.interval !== undefined || options.timeout !== undefined
  if (probed.length === 0 && isPaced) {
    throw usage('--interval and --timeout belong to a check that is run; add --check-http URL.')
  }
  const pace = {
    Interval: duration('--interval', options.interval ?? '10s'),
    ...(options.timeout !== undefined && { Timeout: duration('--timeout', options.timeout) }),
  }
  const checks: CheckRegistration[] = probed.map((check) => ({ ...check, ...pace, ...common }))
  const { checkAlias, checkTtl } = options
  if (checkAlias !== undefined) checks.push({ AliasService: checkAlias, ...common })
  if (checkTtl !== undefined) checks.push({ TTL: duration('--check-ttl', checkTtl), ...common })
  if (checks.length === 0 && after !== undefined) {
    throw usage('--deregister-after needs a check; add --check-http URL or --check-ttl DURATION.')
  }
  return checks
}

function probedChecks(options: CheckOptions): readonly CheckRegistration[] {
  const { checkHttp, checkTcp, checkUdp, checkGrpc, checkH2ping, checkScript } = options
  return [
    ...(checkHttp === undefined ? [] : [{ HTTP: checkHttp }]),
    ...(checkTcp === undefined ? [] : [{ TCP: checkTcp }]),
    ...(checkUdp === undefined ? [] : [{ UDP: checkUdp }]),
    ...(checkGrpc === undefined ? [] : [{ GRPC: checkGrpc }]),
    ...(checkH2ping === undefined ? [] : [{ H2PING: checkH2ping }]),
    ...(checkScript === undefined ? [] : [{ Args: ['sh', '-c', checkScript] }]),
  ]
}

function duration(option: string, text: string): string {
  if ((parseDuration(text) ?? -1) >= 0) return text
  const meant = nearestDuration(text)
  const example = meant === undefined ? 'a number with a unit, such as 10s or 5m' : meant
  const reason = `"${text}" is not a duration; write ${example}`
  throw svcdError('invalid-option', { option, reason })
}

function usage(reason: string): SvcdError {
  return svcdError('usage', { reason: `${reason} See \`svcd register --help\`.` })
}
