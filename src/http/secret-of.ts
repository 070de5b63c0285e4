import type { FastifyRequest } from 'fastify'
import { parameter, parametersOf } from './parameters.ts'

/** The secret that a request sends, in Consul's order; undefined: none. */
export function secretOf(request: FastifyRequest): string | undefined {
  const { headers } = request
  return (
    given(parameter(parametersOf(request), 'token')) ??
    given(one(headers['x-consul-token'])) ??
    bearerOf(headers.authorization)
  )
}

/** RFC 6750 §2.1; the scheme in any case (RFC 9110 §11.1). */
function bearerOf(field: string | undefined): string | undefined {
  const [, secret] = /^bearer +(\S+)\s*$/i.exec(field ?? '') ?? []
  return secret
}

function one(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field[0] : field
}

function given(secret: string | undefined): string | undefined {
  return secret === '' ? undefined : secret
}
