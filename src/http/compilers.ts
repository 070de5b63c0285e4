import type { FastifyServerOptions } from 'fastify'

/**
 * No schema is compiled: bodies and parameters have readers of their own, and this room renders the
 * answers. fastify loads its compilers (ajv, fast-json-stringify) unless it is given others; its
 * types ask for ajv's own functions.
 */
export const noCompilers: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: {
    buildValidator: (() => () => () => true) as never,
    buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
  },
}
