import { endpoint } from '../../context.ts'
import { opaque } from '../../../http/schemas.ts'

/** The document of all rows below `/v1`. */
export const openApiEndpoint = endpoint({
  method: 'GET',
  path: '/v1/openapi.json',
  permission: { none: 'it is the same for everybody' },
  summary: 'Read this OpenAPI document',
  answer: opaque,
  handle: async ({ document }, _request, reply) =>
    reply.header('content-type', 'application/json').send(await document()),
})
