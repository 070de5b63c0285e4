import t from 'tap'
import type { Browser, Page } from 'playwright-core'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage, picture, violations } from './browser.ts'
import { rowOf, rowsOf } from './rows.ts'
import { fill, fillWithMany, register } from './sample.ts'

// What the web UI does, in a real browser.

const needs = { skip: noBrowser, timeout: 120_000 }

async function isSelf(page: Page, selector: string): Promise<boolean> {
  return page.evaluate<boolean>(
    `document.activeElement?.matches(${JSON.stringify(selector)}) === true`,
  )
}

t.test('with a catalog of a team', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await fill(agent)
  const browser = await openBrowser(t)
  const at = (path: string) => `${agent.httpUrl}/ui/${path}`

  await t.test(
    'a service is followed from its registration to its end without a reload',
    async (t) => {
      const page = await openPage(t, browser, at('services?q=walk'))
      await page.getByText('No service matches').waitFor()
      await page.evaluate('window.isSamePage = true')
      const Check = { TTL: '10m', Status: 'passing' }
      await agent.put('agent/service/register', { Name: 'walk', ID: 'walk-1', Port: 80, Check })
      await rowOf(page, 'walk').getByText('passing').waitFor()
      await agent.put('agent/check/fail/service:walk-1?note=the+disk+is+full')
      await rowOf(page, 'the disk is full').getByText('critical').waitFor()
      await picture(page, 'walk-critical')
      await rowOf(page, 'walk').getByRole('link', { name: 'walk' }).click()
      await page.getByText('0 of 1 instance passing').waitFor()
      await rowOf(page, 'walk-1').getByText('the disk is full').waitFor()
      await rowOf(page, 'walk-1').getByRole('link', { name: 'walk-1' }).click()
      await page.getByText('not in DNS answers').waitFor()
      await agent.put('agent/service/maintenance/walk-1?enable=true&reason=new+disk')
      await page.getByText('new disk').waitFor()
      await agent.put('agent/service/maintenance/walk-1?enable=false')
      await agent.put('agent/check/pass/service:walk-1')
      await page.getByText('in DNS answers', { exact: true }).waitFor()
      await agent.put('agent/service/deregister/walk-1')
      await page.getByText('This instance is not registered').waitFor()
      t.equal(await page.evaluate('window.isSamePage'), true, 'the page was never loaded again')
    },
  )

  await t.test('the query box filters while one types, and the URL keeps the query', async (t) => {
    const page = await openPage(t, browser, at('services'))
    await rowOf(page, 'checkout').waitFor()
    await page.keyboard.press('/')
    t.ok(await isSelf(page, '.search input'), '/ leads to the search')
    await page.keyboard.type('service:*out tag:eu')
    await page.getByText('1 service of').waitFor()
    t.equal(await rowsOf(page).count(), 1)
    await page.getByText('service is *out, tag is eu').waitFor()
    t.match(page.url(), /\?q=service%3A\*out\+tag%3Aeu/)
    await page.reload()
    await page.getByText('1 service of').waitFor()
    t.equal(await page.locator('.search input').inputValue(), 'service:*out tag:eu')
    await page.locator('.search input').fill('status:broken')
    await page.getByText('At 1: "broken" is not a status').waitFor()
    await page.goto(at('services?q=node:db-host-1+meta.version:16*'))
    await rowOf(page, 'postgres').waitFor()
    t.equal(await rowsOf(page).count(), 1, 'nodes and metadata are judged by the agent')
    await page.goto(at('services'))
    await rowOf(page, 'postgres').getByRole('link', { name: 'primary' }).click()
    await page.getByText('2 services of').waitFor()
    t.match(page.url(), /q=tag%3Aprimary/, 'a tag is a link')
    t.equal(await rowsOf(page).count(), 2)
  })

  await t.test('the search box completes fields and values', async (t) => {
    const page = await openPage(t, browser, at('services'))
    await rowOf(page, 'checkout').waitFor()
    const box = page.getByRole('combobox', { name: 'Search' })
    await box.pressSequentially('sta')
    await page.getByRole('option', { name: 'status:' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await box.pressSequentially('crit')
    await page.getByRole('option', { name: 'status:critical' }).waitFor()
    t.strictSame(await violations(page), [])
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    t.equal(await box.inputValue(), 'status:critical')
    await box.fill('tag:prim')
    await page.getByRole('option', { name: 'tag:primary' }).click()
    t.equal(await box.inputValue(), 'tag:primary')
  })

  await t.test('all of it works with the keyboard', async (t) => {
    const page = await openPage(t, browser, at('services'))
    await rowOf(page, 'batch-host').first().waitFor()
    const names = async () => page.locator('.cell-name .name').allInnerTexts()
    const [, second = ''] = await names()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('j')
    t.equal(await page.locator(':focus .cell-name').innerText(), second)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: second }).waitFor()
    await page.getByRole('tab', { name: 'Instances' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('tab', { name: 'DNS answer', selected: true }).waitFor()
    t.match(page.url(), /\?tab=dns$/)
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Services' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    t.strictSame(await violations(page), [])
    await picture(page, 'keys')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('g')
    await page.keyboard.press('n')
    await page.getByRole('heading', { name: 'Nodes' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'Services' }).waitFor()
  })

  await t.test('a click on the head of a column orders the rows, also in the URL', async (t) => {
    const page = await openPage(t, browser, at('services'))
    await rowOf(page, 'billing').waitFor()
    const names = async () => page.locator('.cell-name .name').allInnerTexts()
    const first = (await names()).slice(0, 4).toSorted()
    t.strictSame(first, ['mail', 'postgres', 'reports', 'web'], 'what is broken comes first')
    await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
    t.equal((await names())[0], 'api')
    await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
    t.equal((await names())[0], 'web')
    t.match(page.url(), /sort=-name/)
    const head = page.getByRole('columnheader', { name: 'Name' })
    t.equal(await head.getAttribute('aria-sort'), 'descending')
  })

  await t.test('theme, density and times are kept', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await page.getByLabel('Dark').check()
    await page.getByLabel('Compact').check()
    await page.getByRole('navigation').getByRole('link', { name: 'Services' }).click()
    await rowOf(page, 'billing').waitFor()
    await picture(page, 'services-compact-dark')
    t.equal((await rowsOf(page).first().boundingBox())?.height, 28)
    await page.reload()
    await rowOf(page, 'billing').waitFor()
    const scheme = await page.evaluate<string>(
      'getComputedStyle(document.documentElement).colorScheme',
    )
    t.equal(scheme, 'dark')
  })
})

const hostile = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '&amp;&lt;',
  '"\'`',
  '../../etc/passwd',
  'a/b/c',
  '100%',
  '%2F%00',
  'javascript:alert(1)',
  '?q=x#y',
  'ünïcödé 漢字',
  'שלום',
  '\\u{202e}',
  '{{7*7}}',
  'a'.repeat(200),
] as const

t.test(
  'names and outputs of anybody are shown as text, and lead to their pages',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const long = `\u001b[31mred\u001b[0m \u202e<b>bold</b> ${'long output '.repeat(300)}`
    for (const [at, name] of hostile.entries()) {
      const Check = {
        CheckID: `c${at}`,
        Name: name,
        Status: 'critical',
        Output: long,
        ServiceID: name,
      }
      const Service = { Service: name, ID: name, Tags: [name], Meta: { key: name } }
      await register(agent, { Node: 'host', Address: '10.0.0.1', Service, Check })
    }
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services`)
    page.on('dialog', () => t.fail('a script of a name ran'))
    await page.getByText(`${hostile.length + 1} services`).waitFor()
    await picture(page, 'hostile')
    t.strictSame(await violations(page), [])
    for (const name of hostile) {
      const service = page.locator('.cell-name').getByRole('link', { name, exact: true })
      await service.click()
      await page.getByRole('heading', { name, exact: true }).waitFor()
      t.equal(await page.locator('h1').innerText(), name, name)
      await page.locator('.cell-instance').getByRole('link', { name, exact: true }).click()
      await page.getByText('not in DNS answers').waitFor()
      t.equal(await page.locator('h1').innerText(), name, `the instance ${name}`)
      await page
        .getByRole('navigation', { name: 'Pages' })
        .getByRole('link', { name: 'Services' })
        .click()
    }
    await page.locator('.cell-name').getByRole('link', { name: hostile[0] }).click()
    await page.locator('.cell-instance').getByRole('link').click()
    const output = await page.locator('.check pre').first().innerText()
    t.match(output, /^red \\u\{202e\}<b>bold<\/b> long output/)
    t.strictSame(await violations(page), [])
    await picture(page, 'hostile-instance')
  },
)

t.test('a stream that is cut says since when, and comes back by itself', needs, async (t) => {
  const first = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  await first.put('agent/service/register', { Name: 'web', Port: 80 })
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${first.httpUrl}/ui/services`)
  await rowOf(page, 'web').waitFor()
  await page.getByText('live', { exact: true }).waitFor()
  await first.stop()
  await page.getByText(/^stale since \d\d:\d\d:\d\d$/).waitFor()
  t.ok(await rowOf(page, 'web').isVisible(), 'what was known stays')
  await picture(page, 'stale')
  t.strictSame(await violations(page), [])
  const port = `-http-port=${first.httpPort}`
  const second = await AgentProcess.start({ args: ['-dev', '-node', 'n1', port] })
  t.teardown(() => second.stop())
  await second.put('agent/service/register', { Name: 'web-again', Port: 80 })
  await rowOf(page, 'web-again').waitFor()
  await page.getByText('live', { exact: true }).waitFor()
})

t.test(
  'with access control the UI shows what the token allows, and says what is missing',
  needs,
  async (t) => {
    const secret = '11111111-2222-3333-4444-555555555555'
    const acl = ['-acl', '-acl-default-policy=deny', `-acl-initial-management=${secret}`]
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1', ...acl] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services`)
    await page.getByText('Nothing is visible without a token').waitFor()
    await picture(page, 'no-token')
    t.strictSame(await violations(page), [])
    await page.goto(`${agent.httpUrl}/ui/services/web?tab=dns`)
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Settings' })
      .click()
    await useToken(page, '99999999-2222-3333-4444-555555555555')
    await page.getByText('ACL not found').first().waitFor()
    await picture(page, 'wrong-token')
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Services' })
      .click()
    await page.getByText('The token does not allow this').waitFor()
    await page.getByRole('link', { name: 'Change the token' }).click()
    await useToken(page, secret)
    await page.getByText('global-management').waitFor()
    await picture(page, 'token')
    t.strictSame(await violations(page), [])
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Services' })
      .click()
    await rowOf(page, 'consul').waitFor()
    t.equal(await page.evaluate('JSON.stringify(localStorage).includes("1111")'), false)
  },
)

async function useToken(page: Page, secret: string): Promise<void> {
  await page.getByLabel('Secret').fill(secret)
  await page.getByRole('button', { name: 'Use this token' }).click()
}

t.test(
  '10,000 services are shown at once, and only those that can be seen are in the page',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    await fillWithMany(agent, 10_000)
    const browser: Browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services?sort=name`)
    await page.getByText('10,001 services').waitFor()
    t.ok((await rowsOf(page).count()) < 60, 'few rows are drawn')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('End')
    await page.locator('.grid .row:focus', { hasText: 'service-09999' }).waitFor()
    t.equal(await page.locator(':focus').getAttribute('aria-rowindex'), '10002')
    await picture(page, 'many')
    await page.keyboard.press('/')
    const tookMs = await page.evaluate<number>(`(async () => {
    const box = document.querySelector('.search input')
    const began = performance.now()
    box.value = 'service-0777'
    box.dispatchEvent(new InputEvent('input', { bubbles: true }))
    await new Promise(requestAnimationFrame)
    return performance.now() - began
  })()`)
    await page.getByText('10 services of 10,001').waitFor()
    t.comment(`a key in the query box took ${Math.round(tookMs)} ms`)
  },
)
