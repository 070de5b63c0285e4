import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { svcdError } from '../base/errors.ts'
import { tailOf } from './path.ts'

/** A file of the web UI, as it is sent. */
export interface SiteFile {
  /** Its Content-Type. */
  readonly type: string
  /** Of its content; part of its ETag. */
  readonly hash: string
  readonly bytes: Buffer
  readonly gzip: Buffer
  readonly br: Buffer
}

/** The files of the web UI by their paths: `index.html`, `assets/app-1A2B3C4D.js`. */
export type Site = ReadonlyMap<string, SiteFile>

const prefix = '/ui/'
/** The names of files in this folder hold a hash of their content, so they never change. */
const assets = 'assets/'

const headers = {
  // No code, no style and no request but those of the agent, whatever a page may be made to show.
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const

/**
 * Serves the web UI below /ui/, and leads there from /. Paths that name no file are pages, which the script of the
 * UI draws. `load` is called at the first request.
 */
export function addSite(app: FastifyInstance, load: () => Promise<Site>): void {
  let site: Promise<Site> | undefined
  const loaded = async (): Promise<Site> => {
    site ??= load()
    try {
      return await site
    } catch (error) {
      site = undefined
      throw error
    }
  }
  addPage(app, '/', (_request, reply) => reply.redirect(prefix, 302))
  addPage(app, prefix.slice(0, -1), (_request, reply) => reply.redirect(prefix, 301))
  addPage(app, `${prefix}*`, async (request, reply) => {
    const path = tailOf(request, prefix)
    const files = await loaded()
    const file = files.get(path)
    if (file !== undefined) return sendFile(request, reply, file, path.startsWith(assets))
    const index = files.get('index.html')
    if (path.startsWith(assets) || index === undefined) throw svcdError('ui-no-file', { path })
    return sendFile(request, reply, index, false)
  })
}

function addPage(
  app: FastifyInstance,
  url: string,
  handle: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  app.route({ method: ['GET', 'HEAD'], url, exposeHeadRoute: false, handler: handle })
  app.route({
    method: ['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    url,
    handler: (request, reply) => {
      reply.header('Allow', 'OPTIONS,GET,HEAD')
      if (request.method === 'OPTIONS') return reply.send()
      throw svcdError('method-not-allowed', { method: request.method })
    },
  })
}

function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: SiteFile,
  isAsset: boolean,
): FastifyReply {
  const { 'accept-encoding': accepted, 'if-none-match': known } = request.headers
  const encoding = encodingOf(typeof accepted === 'string' ? accepted : '')
  const tag = `"${file.hash}${encoding === undefined ? '' : `-${encoding}`}"`
  reply
    .headers(headers)
    .header('Cache-Control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('ETag', tag)
    .header('Vary', 'Accept-Encoding')
  if (known !== undefined && isKnown(known, tag)) return reply.code(304).send()
  reply.header('Content-Type', file.type)
  if (encoding === undefined) return reply.send(file.bytes)
  return reply.header('Content-Encoding', encoding).send(file[encoding])
}

/** RFC 9110 §13.1.2, with its weak comparison. */
function isKnown(known: string, tag: string): boolean {
  return known.split(',').some((each) => ['*', tag, `W/${tag}`].includes(each.trim()))
}

/** The best form that a client takes (RFC 9110 §12.5.3): a quality of 0 means not at all. */
export function encodingOf(accepted: string): 'br' | 'gzip' | undefined {
  const quality = new Map<string, number>()
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const q = parameters.find((text) => text.startsWith('q='))
    quality.set(name, q === undefined ? 1 : Number(q.slice(2)))
  }
  const takes = (name: string): boolean => (quality.get(name) ?? quality.get('*') ?? 0) > 0
  if (takes('br')) return 'br'
  return takes('gzip') ? 'gzip' : undefined
}
