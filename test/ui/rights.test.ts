import t from 'tap'
import type { Route } from 'playwright-core'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage } from './browser.ts'
import { putKey } from './sample-kv.ts'

// What a page knows about the rights of its token, in a real browser.

const needs = { skip: noBrowser, timeout: 240_000 }

t.test('a right that a page asks for while the page before waits is answered', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1', '-acl'] })
  t.teardown(() => agent.stop())
  await putKey(agent, 'team/motd', 'hello')
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/settings`)
  const held = new Promise<Route>((resolve) => {
    void page.route('**/v1/internal/acl/authorize*', resolve, { times: 1 })
  })
  await page.goto(`${agent.httpUrl}/ui/kv/folder/team%2F`)
  const first = await held
  await page.locator('.key-list').getByRole('link', { name: 'motd' }).click()
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await page.getByRole('textbox', { name: 'Value' }).fill('changed')
  await first.continue()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.locator('pre', { hasText: 'changed' }).waitFor()
})
