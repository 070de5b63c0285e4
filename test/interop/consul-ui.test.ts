import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { startConsul } from '../bench/peers.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { missing } from '../helpers/tools.ts'
import { openBrowser, picture } from '../ui/browser.ts'
import type { Browser, Page } from '../ui/browser.ts'
import { fill } from '../ui/sample.ts'

// Consul's own web UI (1.8) over svcd's API: the files come from a Consul, all requests below /v1/ go to svcd.

const needs = { skip: missing('consul') || noBrowser, timeout: 180_000 }

/** The address at which the UI of one and the API of the other are. */
async function proxy(t: Test, uiUrl: string, apiUrl: string): Promise<string> {
  const forward = (asked: IncomingMessage, answer: ServerResponse): void => {
    const path = asked.url ?? '/'
    const to = new URL(path, path.startsWith('/v1/') ? apiUrl : uiUrl)
    const headers = { ...asked.headers, host: to.host }
    const sent = request(to, { method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(answer)
    })
    sent.on('error', () => answer.destroy())
    answer.on('close', () => sent.destroy())
    asked.pipe(sent)
  }
  const server = createServer(forward)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function openUi(t: Test, browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  context.setDefaultTimeout(20_000)
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(`a script failed: ${error.message}`))
  page.on('response', (response) => {
    // A Consul without Connect refuses this one as well, and its UI copes with that.
    const isExpected = response.url().includes('/v1/discovery-chain/')
    if (response.status() >= 500 && !isExpected) {
      t.fail(`${response.status()} of ${response.url()}`)
    }
  })
  await page.goto(url)
  return page
}

t.test(
  "Consul's own UI shows svcd's services, nodes and keys, and changes keys",
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    await fill(agent)
    await agent.put('kv/shop/port', '8080')
    const consul = await startConsul([], ['-ui'])
    t.teardown(() => consul.stop())
    const ui = await proxy(t, `http://127.0.0.1:${consul.httpPort}`, agent.httpUrl)
    const browser = await openBrowser(t)
    const page = await openUi(t, browser, `${ui}/ui/dc1/services`)

    await t.test('services, and the instances of one', async (t) => {
      await page.getByText('18 total').waitFor()
      t.ok(await page.getByRole('link', { name: 'billing' }).first().isVisible())
      await picture(page, 'consul-ui-services')
      await page.goto(`${ui}/ui/dc1/services/web/instances`)
      await page.getByText('web-3').first().waitFor()
      await picture(page, 'consul-ui-service')
    })

    await t.test('nodes, and one of them', async () => {
      await page.goto(`${ui}/ui/dc1/nodes`)
      await page.getByText('web-host-2').first().waitFor()
      await picture(page, 'consul-ui-nodes')
      await page.goto(`${ui}/ui/dc1/nodes/batch-host/health-checks`)
      await page.getByText('Agent not live or unreachable').first().waitFor()
      await picture(page, 'consul-ui-node')
    })

    await t.test('keys are listed, created and changed', async (t) => {
      await page.goto(`${ui}/ui/dc1/kv`)
      await page.getByRole('link', { name: 'shop' }).first().click()
      await page.getByRole('link', { name: 'port' }).first().waitFor()
      await picture(page, 'consul-ui-kv')
      await page.goto(`${ui}/ui/dc1/kv/create`)
      await page.locator('input[name="additional"]').fill('colour')
      await picture(page, 'consul-ui-create')
      const put = page.waitForResponse((response) => response.request().method() === 'PUT')
      await page.getByRole('button', { name: 'Save' }).click()
      t.equal((await put).status(), 200)
      await page.getByRole('link', { name: 'colour' }).first().waitFor()
    })
  },
)
