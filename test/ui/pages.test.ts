import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import {
  boxOf,
  drawn,
  follow,
  openBrowser,
  openPage,
  picture,
  scrollsSideways,
  views,
  violations,
} from './browser.ts'
import { fill } from './sample.ts'

// Every page in both themes and at two widths. Look at the pictures after a change of the style.

const pages = [
  { name: 'services', path: 'services', sign: 'connection pool exhausted' },
  { name: 'services-query', path: 'services?q=tag%3Av1+-status%3Acritical', sign: 'payments' },
  { name: 'services-nothing', path: 'services?q=nonsense', sign: 'No service matches' },
  { name: 'service', path: 'services/web', sign: '10.9.0.2:8080' },
  { name: 'service-dns', path: 'services/web?tab=dns', sign: 'web-host-1.node.dc1.consul.' },
  { name: 'service-tags', path: 'services/web?tab=tags', sign: 'version = 1.5.0' },
  { name: 'instance', path: 'services/web/web-host-2/web-3', sign: 'not in DNS answers' },
  { name: 'instance-gone', path: 'services/web/web-host-2/web-9', sign: 'is not registered' },
  { name: 'nodes', path: 'nodes', sign: 'Agent not live or unreachable' },
  { name: 'node', path: 'nodes/web-host-2', sign: 'web-3' },
  { name: 'node-checks', path: 'nodes/batch-host?tab=checks', sign: 'Serf Health Status' },
  { name: 'node-facts', path: 'nodes/db-host-2?tab=facts', sign: 'fd00::9:2' },
  { name: 'settings', path: 'settings', sign: 'Access control is off' },
  { name: 'cluster', path: 'cluster', sign: 'Take and download' },
  // The agent has recorded its first values by now.
  { name: 'service-history', path: 'services/web?tab=history', sign: 'Instances by health' },
  { name: 'overview', path: 'overview', sign: 'Instances by health' },
  { name: 'no-page', path: 'nonsense', sign: 'There is no such page' },
] as const

t.test(
  'each page shows what it is for, and axe-core finds nothing wrong, in both themes and widths',
  { skip: noBrowser, timeout: 180_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    await fill(agent)
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/`)
    for (const { name, path, sign } of pages) {
      await t.test(name, async (t) => {
        await page.goto(`${agent.httpUrl}/ui/${path}`)
        for (const { theme, width, isJudged } of views) {
          await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
          await page.setViewportSize({ width, height: 900 })
          await page.getByText(sign).first().waitFor()
          await picture(page, `${name}-${theme}-${width}`)
          t.notOk(await scrollsSideways(page), `${width} px do not scroll sideways`)
          if (isJudged) t.strictSame(await violations(page), [], `${theme}, ${width} px`)
        }
        // A window of 1440 pixels at 200 % (WCAG 2.2, 1.4.4).
        await page.setViewportSize({ width: 720, height: 450 })
        await page.getByText(sign).first().waitFor()
        t.notOk(await scrollsSideways(page), 'nor does it at 200 % zoom')
      })
    }
  },
)

t.test(
  'on a phone nothing that counts is out of view',
  { skip: noBrowser, timeout: 120_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    await fill(agent)
    const browser = await openBrowser(t)
    const width = 390
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/`, { width })
    const isInView = async (selector: string): Promise<boolean> => {
      await page.locator(selector).waitFor()
      await drawn(page)
      const { left, right } = await boxOf(page.locator(selector))
      return left >= 0 && right <= width && (await page.evaluate('scrollX + scrollY')) === 0
    }

    await t.test('the entry of the page in the navigation', async (t) => {
      for (const path of ['overview', 'sessions', 'access', 'settings', 'services']) {
        await follow(page, `/ui/${path}`)
        t.ok(await isInView(`.nav a[href$="/${path}"][aria-current]`), path)
      }
      await page.goto(`${agent.httpUrl}/ui/cluster`)
      t.ok(await isInView('.nav a[href$="/cluster"][aria-current]'), 'also after a reload')
    })

    await t.test('the chosen tab', async (t) => {
      await page.goto(`${agent.httpUrl}/ui/services/web?tab=tags`)
      t.ok(await isInView('#tab-tags[aria-selected="true"]'))
      await page.getByRole('tab', { name: 'Instances' }).click()
      t.ok(await isInView('#tab-instances[aria-selected="true"]'))
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.getByRole('tab', { name: 'Tags & metadata' }).click()
      await page.setViewportSize({ width, height: 900 })
      t.ok(await isInView('#tab-tags[aria-selected="true"]'), 'also when the window gets narrow')
    })

    await t.test('the button that copies a command is beside it, above the rcode', async (t) => {
      await page.goto(`${agent.httpUrl}/ui/services/web?tab=dns`)
      const answer = page.getByRole('region', { name: 'SRV records' })
      const command = await boxOf(answer.getByText(/^dig /))
      const copy = await boxOf(answer.getByRole('button', { name: 'Copy the dig command' }))
      const rcode = await boxOf(answer.getByText('NOERROR'))
      t.ok(copy.left >= command.right && copy.bottom > command.top && copy.top < command.bottom)
      t.ok(rcode.top >= Math.max(command.bottom, copy.bottom))
    })
  },
)

t.test(
  'a node without an ID has no row for it',
  { skip: noBrowser, timeout: 60_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    await fill(agent)
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/nodes/n1?tab=facts`)
    const names = page.locator('.facts dt')
    await names.getByText('ID', { exact: true }).waitFor()
    await page.goto(`${agent.httpUrl}/ui/nodes/db-host-2?tab=facts`)
    await page.getByText('fd00::9:2').first().waitFor()
    t.notOk((await names.allInnerTexts()).includes('ID'))
  },
)

t.test(
  'the first page of an empty agent says how to register a service',
  { skip: noBrowser, timeout: 60_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    for (const [theme, width] of [
      ['light', 1440],
      ['dark', 390],
    ] as const) {
      const page = await openPage(t, browser, `${agent.httpUrl}/ui/`, { theme, width })
      await page.getByText('svcd register web --port 8080').waitFor()
      await picture(page, `first-run-${theme}-${width}`)
      t.strictSame(await violations(page), [], `${theme}, ${width} px`)
    }
  },
)
