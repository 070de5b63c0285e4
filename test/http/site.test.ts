import { gzipSync, brotliCompressSync } from 'node:zlib'
import t from 'tap'
import type { Test } from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { encodingOf } from '../../src/http/site.ts'
import type { Site, SiteFile } from '../../src/http/site.ts'
import { TestApi } from '../api/support.ts'

function file(type: string, text: string): SiteFile {
  const bytes = Buffer.from(text)
  const [gzip, br] = [gzipSync(bytes), brotliCompressSync(bytes)]
  return { type, hash: `hash-of-${text.length}`, bytes, gzip, br }
}

const index = '<!doctype html><p>the page</p>'
const script = 'console.log("script")'
const site: Site = new Map([
  ['index.html', file('text/html; charset=utf-8', index)],
  ['assets/app-1A2B3C4D.js', file('text/javascript; charset=utf-8', script)],
])

function apiWith(t: Test, load: () => Promise<Site> = async () => site): TestApi {
  return new TestApi(t, { site: load })
}

t.test('/ leads to the web UI, and so does /ui', async (t) => {
  const api = apiWith(t)
  t.match(await api.ask('GET', '/'), { status: 302, headers: { location: '/ui/' } })
  t.match(await api.ask('GET', '/ui'), { status: 301, headers: { location: '/ui/' } })
})

t.test('each path that names no file is a page', async (t) => {
  const api = apiWith(t)
  for (const path of ['', 'services', 'services/web.v2', 'services/a%2Fb?tab=dns', 'nodes/n1/']) {
    const got = await api.ask('GET', `/ui/${path}`)
    t.match(got, { status: 200, body: index }, path)
    t.match(got.headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    })
  }
})

t.test('an unknown asset is not found, and the text says what to do', async (t) => {
  const got = await apiWith(t).ask('GET', '/ui/assets/app-00000000.js')
  t.match(got, { status: 404, body: /no file assets\/app-00000000\.js\. Reload the page/ })
  t.match(got.headers, { 'content-type': 'text/plain; charset=utf-8' })
})

t.test('no page may load, or be shown in, anything of another origin', async (t) => {
  const api = apiWith(t)
  for (const path of ['/ui/', '/ui/assets/app-1A2B3C4D.js']) {
    const { headers } = await api.ask('GET', path)
    const policy = String(headers['content-security-policy'])
    t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
    t.match(policy, /frame-ancestors 'none'; base-uri 'none'; form-action 'none'/)
    t.notMatch(policy, /unsafe|\*|https?:/)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  }
})

t.test(
  'a file with a hash in its name is kept for a year, the page is asked for again',
  async (t) => {
    const api = apiWith(t)
    const asset = await api.ask('GET', '/ui/assets/app-1A2B3C4D.js')
    t.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
    const { headers } = await api.ask('GET', '/ui/')
    const tag = String(headers['etag'])
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await api.ask('GET', '/ui/', undefined, { 'if-none-match': known })
      t.match(again, { status: 304, body: '' }, known)
      t.equal(again.headers['etag'], tag)
    }
    const changed = await api.ask('GET', '/ui/', undefined, { 'if-none-match': '"other"' })
    t.equal(changed.status, 200)
  },
)

t.test('each form has an ETag of its own', async (t) => {
  const api = apiWith(t)
  const tags = new Set<unknown>()
  for (const accepted of ['', 'gzip', 'br, gzip']) {
    const { headers } = await api.ask('GET', '/ui/', undefined, { 'accept-encoding': accepted })
    tags.add(headers['etag'])
    t.equal(headers['vary'], 'Accept-Encoding')
  }
  t.equal(tags.size, 3)
})

t.test('brotli is preferred, then gzip, and what a client refuses is not sent', async (t) => {
  const cases = [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['GZIP;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.0, gzip;q=0', undefined],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['identity', undefined],
    ['', undefined],
    ['br;q=nonsense', undefined],
  ] as const
  for (const [accepted, encoding] of cases) t.equal(encodingOf(accepted), encoding, accepted)
})

t.test('HEAD has the headers of GET, and other methods are refused', async (t) => {
  const api = apiWith(t)
  const head = await api.ask('HEAD', '/ui/')
  t.equal(head.status, 200)
  t.equal(Number(head.headers['content-length']), index.length)
  const put = await api.ask('PUT', '/ui/services')
  t.match(put, { status: 405, headers: { allow: 'OPTIONS,GET,HEAD' } })
})

t.test('files that cannot be read give a text, and the next request tries again', async (t) => {
  let isThere = false
  const api = apiWith(t, async () => {
    if (isThere) return site
    throw svcdError('ui-not-built', {})
  })
  t.match(await api.ask('GET', '/ui/'), { status: 500, body: /npm run build/ })
  isThere = true
  t.match(await api.ask('GET', '/ui/'), { status: 200 })
})

t.test('without the web UI its paths are unknown', async (t) => {
  const api = new TestApi(t)
  for (const path of ['/', '/ui', '/ui/', '/ui/services']) {
    t.match(await api.ask('GET', path), { status: 404, body: /^Invalid URL path/ }, path)
  }
})
