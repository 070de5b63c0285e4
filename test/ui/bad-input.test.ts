import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage, picture, violations } from './browser.ts'
import { rowOf } from './rows.ts'
import { register } from './sample.ts'

// Outputs that are too long, and answers of another version. Hostile names are in behaviour.test.ts.

const needs = { skip: noBrowser, timeout: 120_000 }

t.test(
  '100 kB of output with colours, HTML and marks that turn text are shown as text',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const line = '\u001b[31mred\u001b[0m \u202e<script>window.isBroken = true</script>\n'
    const Output = line.repeat(Math.ceil(100_000 / line.length))
    const Check = { CheckID: 'c', Name: 'c', Status: 'critical', Output, ServiceID: 'web' }
    await register(agent, { Node: 'host', Address: '10.0.0.1', Service: { Service: 'web' }, Check })
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services/web/host/web`)
    const shown = await page.locator('.check pre').innerText()
    t.match(shown, /^red \\u\{202e\}<script>window\.isBroken = true<\/script>\n/)
    for (const hidden of ['\u001b', '\u202e']) t.notOk(shown.includes(hidden))
    t.equal(await page.evaluate('window.isBroken'), undefined)
    t.notOk(await page.evaluate('document.documentElement.scrollWidth > innerWidth'))
    t.strictSame(await violations(page), [])
    await picture(page, 'long-output')
  },
)

t.test(
  'answers of other versions: an older stream is shown, another shape says so',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/settings`)
    let data = '[{"Name":"old","Tags":[],"Passing":1,"Warning":0,"Critical":0,"Maintenance":0}]'
    await page.route('**/v1/watch/**', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: `id: 1\ndata: ${data}\n\n` }),
    )
    const links = page.getByRole('navigation', { name: 'Pages' })
    await links.getByRole('link', { name: 'Services' }).click()
    await rowOf(page, 'old').waitFor()
    for (const other of [
      '[{"Title":"new"}]',
      '{"Whole":true,"Changed":[null],"Removed":[]}',
      '17',
    ]) {
      data = other
      await links.getByRole('link', { name: 'Settings' }).click()
      await page.getByRole('heading', { name: 'Settings' }).waitFor()
      await links.getByRole('link', { name: 'Services' }).click()
      await page.getByText('This page cannot show what the agent sent').waitFor()
    }
    t.strictSame(await violations(page), [])
    await picture(page, 'other-version')
    await page.unroute('**/v1/watch/**')
    await links.getByRole('link', { name: 'Nodes' }).click()
    await rowOf(page, 'n1').waitFor()
  },
)
