import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { isUnderlined, openBrowser, openPage, picture, violations } from './browser.ts'

const skip = noBrowser
const path = '/v1/connect/intentions'

async function put(agent: AgentProcess, pair: string, fields: object): Promise<void> {
  const [source = '', destination = ''] = pair.split(' > ')
  const search = new URLSearchParams({ source, destination })
  const answer = await fetch(`${agent.httpUrl}${path}/exact?${search.toString()}`, {
    method: 'PUT',
    body: JSON.stringify(fields),
  })
  if (!answer.ok) throw new Error(await answer.text())
}

async function filled(agent: AgentProcess): Promise<void> {
  await put(agent, 'web > db', {
    Action: 'allow',
    Description: 'Orders are read from the database',
  })
  await put(agent, 'batch > db', {
    Action: 'allow',
    Description: 'Only at night',
    Meta: { owner: 'ops' },
  })
  await put(agent, '* > db', { Action: 'deny', Description: 'Nobody else' })
  await put(agent, 'web > *', { Action: 'allow' })
  await put(agent, '* > payments', { Action: 'deny', Description: '<script>alert(1)</script>' })
}

async function look(t: Test, page: Page, name: string, sign: string): Promise<void> {
  for (const { theme, width } of [
    { theme: 'light', width: 1440 },
    { theme: 'dark', width: 1440 },
    { theme: 'light', width: 390 },
    { theme: 'dark', width: 390 },
  ] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    await page.getByText(sign).first().waitFor()
    await picture(page, `${name}-${theme}-${width}`)
    const sideways = await page.evaluate<boolean>(
      'document.documentElement.scrollWidth > innerWidth',
    )
    t.notOk(sideways, `${name}: ${width} px do not scroll sideways`)
    t.strictSame(await violations(page), [], `${name}: ${theme}, ${width} px`)
  }
}

t.test(
  'the pages of intentions are readable in both themes and widths',
  { skip, timeout: 180_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/intentions`)
    await look(t, page, 'intentions-empty', 'svcd intention create web db')
    await filled(agent)
    await page.goto(`${agent.httpUrl}/ui/intentions?source=api&destination=db`)
    await look(t, page, 'intentions', 'api → db is denied')
    await page.goto(`${agent.httpUrl}/ui/intentions/new`)
    await look(t, page, 'intention-new', 'The service that calls')
    await page.goto(`${agent.httpUrl}/ui/intentions`)
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.getByRole('link', { name: 'batch' }).click()
    await look(t, page, 'intention', 'Precedence')
    await page
      .getByRole('navigation', { name: 'Where you are' })
      .getByRole('link', { name: 'Intentions' })
      .waitFor()
    t.notOk(await isUnderlined(page, '.trail a'), 'the trail looks as on other pages')
  },
)

t.test(
  'an intention is created, tested, changed and deleted in the browser',
  { skip, timeout: 120_000 },
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/intentions`)
    await page.getByRole('link', { name: 'New intention' }).click()
    await page.getByLabel(/^Source/).fill('web')
    await page.getByLabel(/^Destination/).fill('db')
    await page.getByRole('radio', { name: 'may not call it' }).check()
    await page.getByLabel('Metadata, one key=value per line').fill('owner')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText('"owner" is not a pair').waitFor()
    await page.getByLabel('Metadata, one key=value per line').fill('owner=ops')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('row', { name: 'deny web' }).waitFor()
    await page.getByText('a proxy, or the service itself, has to enforce them').waitFor()

    await page.getByLabel('May').fill('web')
    await page.getByLabel('call', { exact: true }).fill('db')
    await page.getByRole('button', { name: 'Test' }).click()
    await page.getByText('web → db is denied').waitFor()
    await page.getByText('decides the test above').waitFor()
    // The answer follows the rules without a click.
    await put(agent, 'web > db', { Action: 'allow' })
    await page.getByText('web → db is allowed').waitFor()

    await page.getByRole('link', { name: 'web', exact: true }).click()
    await page.getByLabel('Description').fill('kept')
    await put(agent, 'web > db', { Action: 'deny', Description: 'of somebody else' })
    await page.getByText('Somebody has changed this intention').waitFor()
    t.equal(await page.getByLabel('Description').inputValue(), 'kept', 'what was typed stays')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('kept').waitFor()
    await page.getByRole('link', { name: 'web', exact: true }).click()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('No intentions yet').waitFor()
    const left = (await (await fetch(`${agent.httpUrl}${path}`)).json()) as readonly unknown[]
    t.strictSame(left, [])
  },
)
