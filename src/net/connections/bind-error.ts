import { reasonOf, svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'

/** The socket that is opened, and the options that choose its port and its address. */
export interface Bound {
  readonly what: string
  readonly portFlag: string
  readonly addressFlag: string
}

export const dnsUdp: Bound = {
  what: 'DNS (UDP)',
  portFlag: '-dns-port',
  addressFlag: '-client',
}
export const dnsTcp: Bound = { ...dnsUdp, what: 'DNS (TCP)' }
export const dnsTls: Bound = { ...dnsUdp, what: 'DNS over TLS', portFlag: '-dns-tls-port' }
export const dnsHttps: Bound = { ...dnsUdp, what: 'DNS over HTTPS', portFlag: '-dns-https-port' }
export const http: Bound = { what: 'HTTP', portFlag: '-http-port', addressFlag: '-client' }
export const https: Bound = { what: 'HTTPS', portFlag: '-https-port', addressFlag: '-client' }

const reasons: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL)',
  EAFNOSUPPORT: 'this machine has no IPv6 (EAFNOSUPPORT)',
  EACCES: 'a port below 1024 needs root or CAP_NET_BIND_SERVICE (EACCES)',
}

/** Why a port could not be opened: `port-in-use` or `bind-failed`. */
export function bindError(bound: Bound, address: string, port: number, error: unknown): SvcdError {
  const { what, portFlag, addressFlag } = bound
  const code = codeOf(error)
  if (code === 'EADDRINUSE') {
    return svcdError('port-in-use', { what, address, port, flag: portFlag }, error)
  }
  const flag = code === 'EACCES' ? portFlag : addressFlag
  const reason = reasons[String(code)] ?? reasonOf(error)
  return svcdError('bind-failed', { what, address, port, reason, flag }, error)
}

/** The system's name of an error, such as `EADDRINUSE`. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
