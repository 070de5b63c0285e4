import { reasonOf, svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'

/** Why a DNS port could not be opened: `port-in-use` or `bind-failed`. */
export function bindError(what: string, address: string, port: number, error: unknown): SvcdError {
  const code = codeOf(error)
  if (code === 'EADDRINUSE') {
    return svcdError('port-in-use', { what, address, port, flag: '-dns-port' }, error)
  }
  const flag = code === 'EACCES' ? '-dns-port' : '-client'
  return svcdError('bind-failed', { what, address, port, reason: reasonOf(error), flag }, error)
}

/** The system's name of an error, such as `EADDRINUSE`. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
