import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'

// The web UI as an agent serves it from dist/.

t.test('every agent serves the web UI, and each file that its page names', async (t) => {
  const agent = await AgentProcess.start()
  t.teardown(() => agent.stop())
  const page = await fetch(`${agent.httpUrl}/`)
  t.match(page, { status: 200, url: `${agent.httpUrl}/ui/` })
  const html = await page.text()
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)]
  const preloads = [...html.matchAll(/<link rel="modulepreload"/g)]
  t.equal(paths.length - preloads.length, 3)
  for (const [, path = ''] of paths) {
    const got = await fetch(agent.httpUrl + path, { headers: { 'accept-encoding': 'gzip, br' } })
    t.match(got, { status: 200 }, path)
    t.equal(got.headers.get('content-encoding'), 'br')
    t.match(got.headers.get('cache-control'), /immutable/)
    const length = (await got.arrayBuffer()).byteLength
    t.ok(length > 0)
    const head = await fetch(agent.httpUrl + path, { method: 'HEAD' })
    t.match(head, { status: 200 })
    t.equal(await head.text(), '', 'HEAD has no body')
  }
})

t.test('-ui=false turns it off, and the API stays', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-ui=false'] })
  t.teardown(() => agent.stop())
  t.equal((await fetch(`${agent.httpUrl}/ui/`)).status, 404)
  t.equal((await fetch(`${agent.httpUrl}/v1/agent/self`)).status, 200)
})
