import t from 'tap'
import { toDatacenter } from '../../src/ui/core/route.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage, picture, violations } from './browser.ts'
import { rowOf } from './rows.ts'

t.test('requests name another datacenter, and not the own one', async (t) => {
  t.equal(toDatacenter('catalog/nodes', ''), 'catalog/nodes')
  t.equal(toDatacenter('catalog/nodes', 'dc&2'), 'catalog/nodes?dc=dc%262')
  t.equal(toDatacenter('kv/a?raw', 'dc2'), 'kv/a?raw&dc=dc2')
})

t.test(
  'the header has a choice of the datacenters that the agent knows',
  { skip: noBrowser, timeout: 60_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services`)
    const choice = page.getByRole('combobox', { name: 'Datacenter' })
    t.equal(await choice.inputValue(), 'dc1')
    t.equal(await choice.locator('option').count(), 1)

    // svcd does not have several datacenters yet. This is what the list would say.
    await page.route('**/v1/catalog/datacenters*', (route) =>
      route.fulfill({ json: ['dc1', 'dc2'] }),
    )
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    await choice.focus()
    await page.keyboard.press('ArrowDown')
    // The agent has no path to it, so there is no stream.
    await page.getByText(/^stale since/).waitFor()
    await page.getByText('No path to datacenter').waitFor()
    const opacity = "getComputedStyle(document.querySelector('.waiting')).opacity"
    t.equal(await page.evaluate(opacity), '1')
    t.equal(await choice.inputValue(), 'dc2')
    t.equal(await rowOf(page, 'consul').count(), 0, 'nothing of the own datacenter')
    await picture(page, 'datacenter-unknown')
    await page.setViewportSize({ width: 390, height: 900 })
    await choice.selectOption('dc1')
    await rowOf(page, 'consul').waitFor()
    t.equal(await choice.inputValue(), 'dc1')
    t.strictSame(await violations(page), [])
    await picture(page, 'datacenter-390')
  },
)
