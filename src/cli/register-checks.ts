import type { Command } from 'commander'
import type { CheckRegistration } from '../client/rows.ts'
import { nearestDuration, parseDuration } from '../base/duration.ts'
import { svcdError, type SvcdError } from '../base/errors.ts'

/** The options of `svcd register` for the checks of a service. */
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
    .option(
      '--check-http <url>',
      'Request this URL. 2xx passes, 429 is a warning, anything else is critical.',
    )
    .option('--check-tcp <host:port>', 'Connect over TCP. Passes if the connection succeeds.')
    .option('--check-udp <host:port>', 'Send a UDP datagram. Critical if the host rejects it.')
    .option(
      '--check-grpc <host:port[/service]>',
      'Query the gRPC health service. Passes if it answers SERVING.',
    )
    .option(
      '--check-h2ping <host:port>',
      'Send an HTTP/2 ping over TLS. Passes if the host answers it.',
    )
    .option(
      '--check-script <command>',
      'Run this command with sh on the agent. Exit code 0 passes, 1 is a warning, anything else is critical. The agent must allow it (-enable-script-checks).',
    )
    .option('--check-alias <id>', 'Copy the health of this service of the agent.')
    .option(
      '--check-ttl <duration>',
      'Expect a report at least this often. Without one the check becomes critical.',
    )
    .option('--interval <duration>', 'How often to run the checks. (default: 10s)')
    .option('--timeout <duration>', 'How long a check may take. (default: 10s, for a script 30s)')
    .option(
      '--deregister-after <duration>',
      'Remove the service after a check has been critical for this long.',
    )
}

/** The checks that the options define, one of each kind. */
export function checksOf(options: CheckOptions): readonly CheckRegistration[] {
  const after = options.deregisterAfter
  const common =
    after === undefined
      ? {}
      : { DeregisterCriticalServiceAfter: duration('--deregister-after', after) }
  const probed = probedChecks(options)
  const isPaced = options.interval !== undefined || options.timeout !== undefined
  if (probed.length === 0 && isPaced) {
    throw usage('--interval and --timeout need a check that the agent runs; add --check-http URL.')
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
