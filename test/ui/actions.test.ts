import t from 'tap'
import type { Page } from 'playwright-core'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage, picture, violations } from './browser.ts'
import { rowOf } from './rows.ts'
import { register } from './sample.ts'

// The actions of the web UI on instances and nodes, in a real browser.

const needs = { skip: noBrowser, timeout: 120_000 }

interface Check {
  readonly CheckID: string
  readonly Notes: string
}

async function checksOf(agent: AgentProcess, node: string): Promise<readonly Check[]> {
  const answer = await fetch(`${agent.httpUrl}/v1/health/node/${node}`)
  return (await answer.json()) as readonly Check[]
}

async function startMaintenance(page: Page, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'Start maintenance…' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill(reason)
  await page.getByRole('dialog').getByRole('button', { name: 'Start maintenance' }).click()
}

async function confirm(page: Page, what: string): Promise<void> {
  await page.getByRole('button', { name: `${what}…` }).click()
  await page.getByRole('dialog').getByRole('button', { name: what, exact: true }).click()
}

t.test(
  'an instance from its registration to its end, in one page that is never reloaded',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services`)
    await page.getByText('No service is registered yet').waitFor()
    await page.evaluate('window.isSamePage = true')
    const Check = { TTL: '10m', Status: 'passing' }
    await agent.put('agent/service/register', { Name: 'web', ID: 'web/1', Port: 80, Check })
    await rowOf(page, 'web').getByText('passing').waitFor()
    await picture(page, 'walk-1-registered')
    await agent.put('agent/check/fail/service:web%2F1?note=the+disk+is+full')
    await rowOf(page, 'the disk is full').getByText('critical').waitFor()
    await picture(page, 'walk-2-critical')
    await rowOf(page, 'web').getByRole('link', { name: 'web' }).click()
    await rowOf(page, 'web/1').getByRole('link', { name: 'web/1' }).click()
    await page.getByText('not in DNS answers').waitFor()
    await page.locator('.check pre').getByText('the disk is full').waitFor()
    await picture(page, 'walk-3-reason')
    await page.getByRole('button', { name: 'Start maintenance…' }).click()
    await page.getByText('web/1 leaves all DNS answers immediately.').waitFor()
    t.strictSame(await violations(page), [])
    await picture(page, 'walk-4-dialog')
    await page.keyboard.press('Escape')
    await startMaintenance(page, 'new disk')
    await page.locator('.check.maintenance').getByText('new disk').waitFor()
    await picture(page, 'walk-5-maintenance')
    t.strictSame(await violations(page), [])
    await confirm(page, 'End maintenance')
    await page.locator('.check.maintenance').waitFor({ state: 'detached' })
    await agent.put('agent/check/pass/service:web%2F1')
    await page.getByText('in DNS answers', { exact: true }).waitFor()
    await confirm(page, 'Deregister')
    await page.getByText('This instance is not registered').waitFor()
    await picture(page, 'walk-6-gone')
    t.strictSame(await (await fetch(`${agent.httpUrl}/v1/agent/services`)).json(), {})
    t.equal(await page.evaluate('window.isSamePage'), true)
  },
)

t.test('instances and nodes of the catalog, which no agent runs', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await register(agent, { Node: 'db', Address: '10.0.0.1', Service: { Service: 'pg', ID: 'pg-1' } })
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/services/pg/db/pg-1`)
  await startMaintenance(page, 'upgrade <b>16</b>')
  await page.locator('.check.maintenance').getByText('upgrade <b>16</b>').waitFor()
  t.match(await checksOf(agent, 'db'), [
    { CheckID: '_service_maintenance:pg-1', Notes: 'upgrade <b>16</b>' },
  ])
  await confirm(page, 'End maintenance')
  await page.getByText('in DNS answers', { exact: true }).waitFor()
  t.strictSame(await checksOf(agent, 'db'), [])
  await page.getByRole('button', { name: 'Deregister…' }).click()
  await page.getByText('If the agent on db registered it').waitFor()
  await page.keyboard.press('Escape')
  await confirm(page, 'Deregister')
  await page.getByText('This instance is not registered').waitFor()

  await page.goto(`${agent.httpUrl}/ui/nodes/db`)
  await page.getByText('Nothing runs on this node').waitFor()
  await register(agent, {
    Node: 'db',
    Address: '',
    SkipNodeUpdate: true,
    Service: { Service: 'my' },
  })
  await rowOf(page, 'my').first().waitFor()
  await startMaintenance(page, 'new kernel')
  await page.getByText('0 of 1 instance passing').waitFor()
  await picture(page, 'node-maintenance')
  t.strictSame(await violations(page), [])
  await confirm(page, 'End maintenance')
  await page.getByText('1 of 1 instance passing').waitFor()
  await confirm(page, 'Deregister')
  await page.getByText('This node is not in the catalog').waitFor()
})

t.test(
  'the own node: its maintenance goes through the agent, and it cannot be deregistered',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/nodes/n1`)
    await startMaintenance(page, 'new kernel')
    await page.locator('.verdict').getByText('maintenance').waitFor()
    const own = await (await fetch(`${agent.httpUrl}/v1/agent/checks`)).json()
    t.match(own, { _node_maintenance: { Notes: 'new kernel' } }, 'the agent knows it')
    t.equal(await page.getByRole('button', { name: 'Deregister…' }).count(), 0)
  },
)

t.test('when the agent is gone, the dialog says so and keeps what was typed', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  await agent.put('agent/service/register', { Name: 'web', Port: 80 })
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/services/web/n1/web`)
  await page.getByRole('button', { name: 'Start maintenance…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('a long explanation')
  await agent.stop()
  await dialog.getByRole('button', { name: 'Start maintenance' }).click()
  await dialog.getByText('The agent does not answer. Is it running?').waitFor()
  t.equal(await dialog.getByLabel('Reason').inputValue(), 'a long explanation')
  t.strictSame(await violations(page), [])
  await picture(page, 'action-failed')
  const port = `-http-port=${agent.httpPort}`
  const second = await AgentProcess.start({ args: ['-dev', '-node', 'n1', port] })
  t.teardown(() => second.stop())
  await second.put('agent/service/register', { Name: 'web', Port: 80 })
  await dialog.getByRole('button', { name: 'Start maintenance' }).click()
  await page.locator('.check.maintenance').getByText('a long explanation').waitFor()
})

t.test(
  'without the right no dialog opens; if it is lost meanwhile, the agent says so, and another token is enough',
  needs,
  async (t) => {
    const secret = '11111111-2222-3333-4444-555555555555'
    const acl = ['-acl', '-acl-default-policy=deny', `-acl-initial-management=${secret}`]
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1', ...acl] })
    t.teardown(() => agent.stop())
    const headers = { 'X-Consul-Token': secret }
    const put = async (path: string, body: object): Promise<string> => {
      const request = { method: 'PUT', headers, body: JSON.stringify(body) }
      const answer = await fetch(`${agent.httpUrl}/v1/${path}`, request)
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      return text
    }
    const look = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
    await put('acl/policy', {
      Name: 'look',
      Rules: look,
    })
    await put('acl/token', {
      SecretID: '22222222-2222-3333-4444-555555555555',
      Policies: [{ Name: 'look' }],
    })
    await put('agent/service/register', { Name: 'web', Port: 80 })
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/settings`)
    const use = async (token: string): Promise<void> => {
      await page.getByRole('navigation').getByRole('link', { name: 'Settings' }).click()
      await page.getByLabel('Secret').fill(token)
      await page.getByRole('button', { name: 'Use this token' }).click()
      await page.getByText('In use').waitFor()
      await page.getByRole('navigation').getByRole('link', { name: 'Services' }).click()
      await rowOf(page, 'web').getByRole('link', { name: 'web' }).click()
      await rowOf(page, 'web').getByRole('link', { name: 'web' }).first().click()
    }
    const weak = '22222222-2222-3333-4444-555555555555'
    await use(weak)
    const start = page.getByRole('button', { name: 'Start maintenance…' })
    await page.getByText('The token lacks service:write on "web"').first().waitFor()
    t.equal(await start.getAttribute('aria-disabled'), 'true')
    t.equal(await start.getAttribute('title'), 'The token lacks service:write on "web".')
    t.ok(await page.getByRole('button', { name: 'Deregister…' }).isDisabled())
    await start.click({ force: true })
    t.equal(await page.getByRole('dialog').count(), 0, 'no dialog opens')
    t.strictSame(await violations(page), [])
    await picture(page, 'action-denied')
    await page.goto(`${agent.httpUrl}/ui/nodes/n1`)
    await page.getByText('The token lacks node:write on "n1"').first().waitFor()
    t.ok(await start.isDisabled())

    const other = '33333333-2222-3333-4444-555555555555'
    const write = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'
    const policy = await put('acl/policy', { Name: 'change', Rules: write })
    await put('acl/token', { SecretID: other, Policies: [{ Name: 'change' }] })
    await use(other)
    await start.click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('kept')
    const { ID } = JSON.parse(policy) as { readonly ID: string }
    await put(`acl/policy/${ID}`, { Name: 'change', Rules: look })
    await dialog.getByRole('button', { name: 'Start maintenance' }).click()
    await dialog.getByText(/Permission denied.*service:write/).waitFor()
    t.equal(await dialog.getByLabel('Reason').inputValue(), 'kept')
    await page.keyboard.press('Escape')
    await use(secret)
    await page.getByRole('button', { name: 'Start maintenance…' }).click()
    t.equal(
      await dialog.getByLabel('Reason').inputValue(),
      'kept',
      'also on another page meanwhile',
    )
    await dialog.getByRole('button', { name: 'Start maintenance' }).click()
    await page.locator('.check.maintenance').getByText('kept').waitFor()
  },
)
