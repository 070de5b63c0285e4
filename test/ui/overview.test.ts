import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { boxOf, follow, openBrowser, openPage, picture, violations } from './browser.ts'
import { fill, register } from './sample.ts'

// The overview, the page of the cluster, and the plots, in a real browser.

/** Whether a plot has pixels of about a colour, which the browser judges. */
function isDrawn(title: string, colour: string): string {
  return `(() => {
    const figure = [...document.querySelectorAll('figure')].find((each) =>
      each.querySelector('h2').textContent === '${title}')
    const probe = document.createElement('i')
    probe.style.color = 'var(${colour})'
    figure.append(probe)
    const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number)
    probe.remove()
    const canvas = figure.querySelector('canvas')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    for (let at = 0; at < data.length; at += 4) {
      const differs = wanted.reduce((sum, part, of) => sum + Math.abs(part - data[at + of]), 0)
      if (differs < 24 && data[at + 3] === 255) return true
    }
    return false
  })()`
}

t.test('overview and cluster', { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await fill(agent)
  const browser = await openBrowser(t)
  const at = (path: string) => `${agent.httpUrl}/ui/${path}`

  await t.test('the first page names the leader and what is broken, worst first', async (t) => {
    const page = await openPage(t, browser, at(''))
    await page.getByText('connection pool exhausted').waitFor()
    t.match(page.url(), /\/ui\/overview$/)
    await page.locator('.tiles').getByRole('link', { name: 'n1' }).waitFor()
    await page.getByText('1 of 1').waitFor()
    const rows = page.locator('.grid .body [role="row"]')
    t.match(await rows.first().innerText(), /critical/)
    await register(agent, {
      Node: 'web-host-1',
      SkipNodeUpdate: true,
      Check: {
        CheckID: 'service:checkout-1',
        Name: 'HTTP /health',
        Status: 'critical',
        Output: 'the queue is full',
        ServiceID: 'checkout-1',
      },
    })
    await rows.filter({ hasText: 'the queue is full' }).waitFor()
    await rows.filter({ hasText: 'checkout' }).getByRole('link').first().click()
    await page.getByText('1 of 2 instances passing').waitFor()
  })

  await t.test('plots are loaded with the first plot, and have a table', async (t) => {
    const page = await openPage(t, browser, at('services'))
    const scripts: string[] = []
    page.on('request', (request) => {
      if (request.resourceType() === 'script') scripts.push(request.url())
    })
    await page.getByText('checkout').waitFor()
    t.strictSame(scripts, [], 'the list of services needs no more scripts')
    await page.goto(at('overview'))
    const plot = page.getByRole('figure').filter({ hasText: 'HTTP requests' })
    await plot.locator('canvas').waitFor({ timeout: 30_000 })
    t.ok(scripts.some((url) => /assets\/draw-/.test(url)))
    t.match(await plot.getByRole('img').getAttribute('aria-label'), /now: all [\d.]+\/s, 4xx/)
    await plot.getByRole('button', { name: 'Table' }).click()
    await plot.getByRole('columnheader', { name: '5xx' }).waitFor()
    t.match(await plot.getByRole('row').nth(1).innerText(), /\d\d:\d\d:\d\d\s+[\d.]+\/s/)
    t.strictSame(await violations(page), [])
  })

  await t.test('DNS answers are drawn by response code', async (t) => {
    const page = await openPage(t, browser, at('overview'), { theme: 'dark' })
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${agent.dnsPort}`])
    for (let asked = 0; asked < 20; asked++) await resolver.resolveSrv('web.service.consul')
    await t.rejects(resolver.resolve4('none.service.consul'), { code: 'ENOTFOUND' })
    const plot = page.getByRole('figure').filter({ hasText: 'DNS answers' })
    await plot.locator('canvas').waitFor({ timeout: 30_000 })
    await plot.getByText('NXDOMAIN').waitFor()
    t.match(await plot.getByRole('img').getAttribute('aria-label'), /NOERROR [\d.]+\/s/)
    t.ok(await page.evaluate(isDrawn('DNS answers', '--accent')), 'also the first value')
    await picture(page, 'overview-plots-dark')
    t.strictSame(await violations(page), [])
    await page.emulateMedia({ colorScheme: 'light' })
    await picture(page, 'overview-plots-light')
  })

  await t.test('a plot changes its colours in the same frame as the page', async (t) => {
    const page = await openPage(t, browser, at('services/web?tab=history'))
    await page.locator('canvas').waitFor({ timeout: 30_000 })
    const isRight = isDrawn('Instances by health', '--line')
    t.equal(await page.evaluate(isRight), true)
    const isRightAtChange = async (query: string, media: object): Promise<unknown> => {
      await page.evaluate(`window.atChange = new Promise((done) => {
        matchMedia('${query}').addEventListener('change', () => {
          requestAnimationFrame(() => done(${isRight}))
        })
      }); undefined`)
      await page.emulateMedia(media)
      return page.evaluate('window.atChange')
    }
    t.equal(await isRightAtChange('(prefers-color-scheme: dark)', { colorScheme: 'dark' }), true)
    t.equal(await isRightAtChange('(prefers-contrast: more)', { contrast: 'more' }), true)
    await follow(page, '/ui/settings')
    await page.getByLabel('Light').check()
    await follow(page, '/ui/services/web?tab=history')
    await page.locator('canvas').waitFor()
    t.equal(await page.evaluate(isRight), true, 'the setting of the page counts before the system')
  })

  await t.test('a snapshot is downloaded, and restored after a question', async (t) => {
    const page = await openPage(t, browser, at('cluster'))
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Take and download' }).click(),
    ])
    t.match(download.suggestedFilename(), /^svcd-\d+\.snap$/)
    await page.getByText(`Saved as ${download.suggestedFilename()}`).waitFor()
    const path = await download.path()
    t.strictSame([...readFileSync(path).subarray(0, 2)], [0x1f, 0x8b], 'it is a gzip archive')
    await agent.put('kv/later', 'x')
    await page.locator('input[type=file]').setInputFiles(path)
    await page.getByText('All servers get the state of this file').waitFor()
    await picture(page, 'cluster-restore')
    const dialog = page.getByRole('dialog')
    const middle = (await boxOf(dialog)).left + 240
    t.ok((await boxOf(dialog.getByRole('button', { name: 'Cancel' }))).left > middle)
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Cancel' }).click()
    t.equal((await fetch(`${agent.httpUrl}/v1/kv/later`)).status, 200, 'Cancel changed nothing')
    await page.locator('input[type=file]').setInputFiles(path)
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await page.getByText('All servers have this state now').waitFor()
    t.equal((await fetch(`${agent.httpUrl}/v1/kv/later`)).status, 404)
  })

  await t.test('a long file name leaves the question readable', async (t) => {
    const page = await openPage(t, browser, at('cluster'), { width: 390 })
    const name = `${'long-'.repeat(40)}.snap`
    await page
      .locator('input[type=file]')
      .setInputFiles({ name, mimeType: 'application/gzip', buffer: Buffer.from('no') })
    const dialog = page.getByRole('dialog', { name: 'Restore this snapshot?' })
    await dialog.getByText(name).waitFor()
    await picture(page, 'cluster-restore-long')
    const box = "document.querySelector('dialog[open]')"
    t.ok(await page.evaluate(`${box}.scrollWidth <= ${box}.clientWidth`), 'it is not cut off')
    t.strictSame(await violations(page), [])
  })

  await t.test('a file that is not a snapshot is refused in the words of the agent', async (t) => {
    const page = await openPage(t, browser, at('cluster'))
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no') })
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await page
      .getByRole('alert')
      .filter({ hasText: /archive|snapshot/i })
      .waitFor()
  })
})
