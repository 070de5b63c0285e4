import { svcdError } from '../base/errors.ts'
import { isConnectionField, isToken } from '../base/http-field.ts'
import type { ServiceCheckBody } from './shapes.ts'

/** How often a check is run and how long one run may take, in milliseconds. */
interface Pace {
  readonly intervalMs: number
  readonly timeoutMs: number
}

interface HostPort {
  readonly host: string
  readonly port: number
}

interface TlsFields {
  readonly tlsSkipVerify: boolean
  /** '' = the host. */
  readonly tlsServerName: string
}

interface OptionalTls extends TlsFields {
  readonly useTls: boolean
}

/** How an agent runs one check. */
export type CheckPlan =
  | { readonly kind: 'ttl'; readonly ttlMs: number }
  | ({
      readonly kind: 'http'
      readonly url: string
      readonly method: string
      readonly headers: Readonly<Record<string, readonly string[]>>
      readonly body: string
      readonly followRedirects: boolean
    } & Pace &
      TlsFields)
  | ({ readonly kind: 'tcp' } & HostPort & OptionalTls & Pace)
  | ({ readonly kind: 'udp' } & HostPort & Pace)
  /** `service` '' = the server as a whole. */
  | ({ readonly kind: 'grpc'; readonly service: string } & HostPort & OptionalTls & Pace)
  | ({ readonly kind: 'h2ping' } & HostPort & OptionalTls & Pace)
  | ({ readonly kind: 'script'; readonly args: readonly string[] } & Pace)
  /** The health of another instance. `node` '' = this one; `serviceId` '' = the node itself. */
  | ({ readonly kind: 'alias'; readonly node: string; readonly serviceId: string } & Pace)
  /** No probe runs: maintenance. */
  | { readonly kind: 'none' }

/** A check that the agent runs at an interval. */
export type ProbePlan = Extract<CheckPlan, Pace>

export function isProbed(plan: CheckPlan): plan is ProbePlan {
  return 'intervalMs' in plan
}

const intervalMsMin = 1000
const timeoutMsDefault = 10_000
const scriptTimeoutMsDefault = 30_000
/** An alias is cheap: it reads this node's own copy of the catalog. */
const aliasIntervalMs = 1000

const kinds = {
  HTTP: 'http',
  TCP: 'tcp',
  UDP: 'udp',
  GRPC: 'grpc',
  H2PING: 'h2ping',
  ScriptArgs: 'script',
  AliasService: 'alias',
  AliasNode: 'alias',
} as const
type KindField = keyof typeof kinds

const unsupportedFields = ['DockerContainerID', 'OSService'] as const

/** How to run the check that a body defines. Throws `invalid-field`, `unsupported-check`. */
export function checkPlan(body: ServiceCheckBody, warnings: string[]): CheckPlan {
  for (const field of unsupportedFields) {
    if (isFilled(body[field])) throw svcdError('unsupported-check', { field })
  }
  const intervalMs = body.Interval ?? 0
  const ttlMs = body.TTL ?? 0
  if ((body.Timeout ?? 0) < 0) return invalidCheck('Timeout must not be negative')
  if (intervalMs > 0 && ttlMs > 0) {
    return invalidCheck('Interval and TTL cannot both be specified')
  }
  const field = kindField(body)
  if (field === undefined) {
    if (ttlMs <= 0) return invalidCheck('TTL must be > 0 for TTL checks')
    return { kind: 'ttl', ttlMs }
  }
  if (ttlMs > 0) return invalidCheck(`${field} and TTL cannot both be specified`)
  const kind = kinds[field]
  if (kind === 'alias') return aliasPlan(body)
  if (intervalMs <= 0) return invalidCheck(`Interval must be > 0 for ${wordOf(field)} checks`)
  if (intervalMs < intervalMsMin)
    warnings.push('Interval is below the minimum of 1s, so 1s is used')
  return probePlan(kind, body, Math.max(intervalMs, intervalMsMin))
}

/** The field that decides the kind of a check; undefined if there is none. */
function kindField(body: ServiceCheckBody): KindField | undefined {
  const given = (Object.keys(kinds) as KindField[]).filter((field) => isFilled(body[field]))
  const [first, second] = given.filter((field) => field !== 'AliasNode' || given.length === 1)
  if (first !== undefined && second !== undefined) {
    invalidCheck(`${wordOf(first)} and ${wordOf(second)} cannot both be specified`)
  }
  return first
}

function isFilled(value: string | readonly string[] | undefined): boolean {
  return value !== undefined && value.length > 0
}

function wordOf(field: KindField): string {
  return field === 'ScriptArgs' ? 'Args' : field
}

function aliasPlan({ AliasNode: node = '', AliasService: serviceId = '' }: ServiceCheckBody) {
  return {
    kind: 'alias',
    node,
    serviceId,
    intervalMs: aliasIntervalMs,
    timeoutMs: aliasIntervalMs,
  } as const
}

function probePlan(
  kind: Exclude<ProbePlan['kind'], 'alias'>,
  body: ServiceCheckBody,
  intervalMs: number,
): CheckPlan {
  const pace = { intervalMs, timeoutMs: timeoutMsOf(kind, body.Timeout ?? 0, intervalMs) }
  const tls = {
    tlsSkipVerify: body.TLSSkipVerify ?? false,
    tlsServerName: body.TLSServerName ?? '',
  }
  switch (kind) {
    case 'http':
      return httpPlan(body, pace, tls)
    case 'tcp':
      return {
        kind,
        ...hostPort('TCP', body.TCP),
        useTls: body.TCPUseTLS ?? false,
        ...tls,
        ...pace,
      }
    case 'udp':
      return { kind, ...hostPort('UDP', body.UDP), ...pace }
    case 'grpc': {
      const [address = '', ...service] = (body.GRPC ?? '').split('/')
      const target = { ...hostPort('GRPC', address), service: service.join('/') }
      return { kind, ...target, useTls: body.GRPCUseTLS ?? false, ...tls, ...pace }
    }
    case 'h2ping': {
      const target = hostPort('H2PING', body.H2PING)
      return { kind, ...target, useTls: body.H2PingUseTLS ?? true, ...tls, ...pace }
    }
    case 'script':
      return { kind, args: checkedArgs(body.ScriptArgs ?? []), ...pace }
  }
}

/** The default time-out is at most the interval, except for scripts. */
function timeoutMsOf(kind: ProbePlan['kind'], askedMs: number, intervalMs: number): number {
  if (askedMs > 0) return askedMs
  return kind === 'script' ? scriptTimeoutMsDefault : Math.min(timeoutMsDefault, intervalMs)
}

function httpPlan(body: ServiceCheckBody, pace: Pace, tls: TlsFields): CheckPlan {
  const url = body.HTTP ?? ''
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) {
    return invalidCheck(`HTTP: ${JSON.stringify(url)} is not an http:// or https:// URL`)
  }
  const method = body.Method ?? ''
  if (method !== '' && !isToken(method)) {
    return invalidCheck(`Method: ${JSON.stringify(method)} is not an HTTP method`)
  }
  // RFC 9110 §9.3.6: it opens a tunnel and sends no request through it.
  if (/^connect$/i.test(method))
    return invalidCheck('Method: CONNECT cannot check health; it opens a tunnel')
  refuseBadHeaders(body.Header ?? {}, body.Body ?? '')
  return {
    kind: 'http',
    url,
    method: method === '' ? 'GET' : method,
    headers: body.Header ?? {},
    body: body.Body ?? '',
    followRedirects: !(body.DisableRedirects ?? false),
    ...pace,
    ...tls,
  }
}

function refuseBadHeaders(
  headers: Readonly<Record<string, readonly string[]>>,
  content: string,
): void {
  for (const [name, values] of Object.entries(headers)) {
    if (!isToken(name)) invalidCheck(`Header: ${JSON.stringify(name)} is not a valid header name`)
    // RFC 9110 §5.5: visible characters, spaces, tabs, and bytes above 0x7F.
    if (values.some((value) => /[^\t\x20-\x7e\x80-\xff]/.test(value))) {
      invalidCheck(
        `Header: a value of ${JSON.stringify(name)} has a character that headers cannot have`,
      )
    }
    if (isConnectionField(name)) {
      invalidCheck(
        `Header: ${name} belongs to the connection, so the agent sets it itself; leave it out`,
      )
    }
    refuseSecond(name, values, content)
  }
}

/**
 * Two hosts, or a length that is not the body's, can be read as two requests by another program.
 */
function refuseSecond(name: string, values: readonly string[], content: string): void {
  const lower = name.toLowerCase()
  if (lower === 'host' && values.length > 1) {
    invalidCheck('Header: Host has several values, but a request has one; leave the others out')
  }
  if (lower !== 'content-length') return
  const length = String(Buffer.byteLength(content))
  if (values.some((value) => value !== length)) {
    invalidCheck(`Header: Content-Length differs from the length of Body (${length}); leave it out`)
  }
}

/** `host:port`, an IPv6 address in brackets. */
function hostPort(field: string, address = ''): HostPort {
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:\s[\]/]+)):(\d{1,5})$/.exec(address) ?? []
  const host = bracketed ?? plain
  const number = Number(port)
  if (host === undefined || number < 1 || number > 65_535) {
    const example = 'write host:port, such as 127.0.0.1:5432 or [::1]:5432'
    return invalidCheck(`${field}: ${JSON.stringify(address)} is not a valid address; ${example}`)
  }
  return { host, port: number }
}

function checkedArgs(args: readonly string[]): readonly string[] {
  if (args[0] === '') return invalidCheck('Args: the command is empty')
  // The system passes arguments as C strings, which end at a null character.
  if (args.some((arg) => arg.includes('\0')))
    return invalidCheck('Args: an argument contains a null character')
  return args
}

function invalidCheck(reason: string): never {
  throw svcdError('invalid-field', { field: 'check', reason })
}
