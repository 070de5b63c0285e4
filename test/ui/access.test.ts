import t from 'tap'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { acl, aclFlags, fillAcl, managementSecret } from './access-sample.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage, picture, violations } from './browser.ts'

// The pages about tokens, policies and roles, in a real browser.

const needs = { skip: noBrowser, timeout: 300_000 }

const views = [
  { theme: 'light', width: 1440, isJudged: true },
  { theme: 'dark', width: 1440, isJudged: false },
  { theme: 'light', width: 390, isJudged: false },
  { theme: 'dark', width: 390, isJudged: true },
] as const

/** Pictures of a page in both themes and widths; axe-core, and no sideways scrolling, in each. */
async function look(t: Test, page: Page, name: string): Promise<void> {
  for (const { theme, width, isJudged } of views) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    await picture(page, `access-${name}-${theme}-${width}`)
    const isWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
    t.notOk(isWide, `${name}: ${width} px do not scroll sideways`)
    if (isJudged) t.strictSame(await violations(page), [], `${name}: ${theme}, ${width} px`)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

/** Enters a token on the settings page. */
async function useToken(page: Page, origin: string, secret: string): Promise<void> {
  await page.goto(`${origin}/ui/settings`)
  await page.getByLabel('Secret', { exact: true }).fill(secret)
  await page.getByRole('button', { name: 'Use this token' }).click()
  await page.getByText('In use').waitFor()
}

function rowOf(page: Page, text: string) {
  return page.locator('.grid .body [role="row"]').filter({ hasText: text })
}

t.test('with the tokens of a team', needs, async (t) => {
  const agent = await AgentProcess.start({ args: aclFlags })
  t.teardown(() => agent.stop())
  const sample = await fillAcl(agent)
  const browser = await openBrowser(t)
  const origin = agent.httpUrl
  const at = (path: string): string => `${origin}/ui/${path}`
  const shop = must(sample.tokens.get('shop on web-host-1'))

  await t.test('lists and pages look right, and axe-core finds nothing wrong', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await useToken(page, origin, managementSecret)
    const roles = await acl<readonly { readonly ID: string }[]>(agent, 'GET', 'roles')
    const role = must(roles[0]).ID
    const policy = must(sample.policies.get('shop'))
    for (const [name, path, sign] of [
      ['tokens', 'access', 'DNS of all agents'],
      ['policies', 'access?tab=policies', 'Finds all services'],
      ['roles', 'access?tab=roles', 'storefront'],
      ['token-rights', `access/tokens/${shop.accessor}`, 'shop/password'],
      ['token', `access/tokens/${shop.accessor}?tab=facts`, 'only its hash is stored'],
      ['anonymous', 'access/tokens/00000000-0000-0000-0000-000000000002', 'Anonymous Token'],
      ['new-token', 'access/tokens/new', 'Expires after'],
      ['policy', `access/policies/${policy}?line=5`, 'shop on web-host-1'],
      ['built-in', 'access/policies/00000000-0000-0000-0000-000000000001', 'it cannot be changed'],
      ['edit-policy', `access/policies/${policy}/edit`, 'Edit the policy'],
      ['role', `access/roles/${role}`, 'shop on web-host-2'],
      ['edit-role', `access/roles/${role}/edit`, 'Edit the role'],
      ['own', 'access/own', 'What you may do'],
      ['gone', 'access/tokens/99999999-0000-4000-8000-000000000000', 'does not exist'],
    ] as const) {
      await page.goto(at(path))
      await page.getByText(sign).first().waitFor()
      await look(t, page, name)
    }
  })

  await t.test('a token is created, shown once, edited, cloned and deleted', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await useToken(page, origin, managementSecret)
    await page.getByRole('link', { name: 'Access' }).click()
    await page.getByRole('link', { name: 'Create token' }).click()
    await page.getByLabel('Description').fill('queue worker')
    await page.getByLabel('Policies').fill('discovery')
    await page.getByRole('button', { name: 'Add policy' }).click()
    await page.getByLabel('Policies').fill('nonsense')
    await page.keyboard.press('Enter')
    await page.getByText('There is no policy "nonsense".').waitFor()
    await page.getByLabel('Policies').fill('')
    await page.getByLabel('Service identities').fill('queue')
    await page.keyboard.press('Enter')
    await page.getByLabel('Expires after').fill('5s')
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.getByText('cannot be less than 1m0s').waitFor()
    t.equal(await page.getByLabel('Description').inputValue(), 'queue worker', 'the form stays')
    await page.getByLabel('Expires after').fill('1h')
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.getByText('Copy its secret now').waitFor()
    const secret = await page.locator('.secret code').innerText()
    t.match(secret, /^[0-9a-f-]{36}$/)
    await look(t, page, 'secret')
    await page.getByRole('link', { name: 'I have copied the secret' }).click()
    await page.getByRole('heading', { name: 'queue worker' }).waitFor()
    t.notMatch(await page.content(), secret, 'the secret is not shown again')
    const made = await fetch(`${origin}/v1/acl/token/self`, {
      headers: { 'X-Consul-Token': secret },
    })
    t.match(await made.json(), {
      Description: 'queue worker',
      Policies: [{ Name: 'discovery' }],
      ServiceIdentities: [{ ServiceName: 'queue' }],
      ExpirationTime: String,
    })

    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByRole('button', { name: 'Remove policy discovery' }).click()
    await page.getByLabel('Roles').fill('storefront')
    await page.getByLabel('Description').fill('queue worker on web-host-1')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'queue worker on web-host-1' }).waitFor()
    await page.getByRole('tab', { name: 'Details' }).click()
    await page.locator('.facts').getByText('storefront').waitFor()

    await page.getByRole('button', { name: 'Clone…' }).click()
    await page.getByRole('dialog').getByLabel('Description').fill('a second worker')
    await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click()
    await page.getByText('Copy its secret now').waitFor()
    t.not(await page.locator('.secret code').innerText(), secret)
    await page.getByRole('link', { name: 'I have copied the secret' }).click()
    await page.getByRole('heading', { name: 'a second worker' }).waitFor()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByText('is refused from now').waitFor()
    await picture(page, 'access-delete')
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Delete token' }).click()
    await page.getByRole('heading', { name: 'Access' }).waitFor()
    await rowOf(page, 'queue worker on web-host-1').waitFor()
    t.equal(await rowOf(page, 'a second worker').count(), 0)
    await page.getByLabel('Filter by description').fill('DNS of')
    await page.getByText('1 of 9 tokens').waitFor()
  })

  await t.test(
    'wrong rules are shown at their line and column, as the agent says them',
    async (t) => {
      const page = await openPage(t, browser, at('settings'))
      await useToken(page, origin, managementSecret)
      await page.goto(at('access/policies/new'))
      await page.getByLabel('Name').fill('queue')
      const rules = 'key_prefix "queue/" {\n  policy = "wirte"\n}\n'
      await page.getByLabel('Rules').fill(rules)
      await page.getByRole('button', { name: 'Create policy' }).click()
      await page.getByRole('button', { name: 'Line 2, column 12' }).waitFor()
      await look(t, page, 'wrong-rules')
      t.equal(await page.locator('.numbers .marked').innerText(), '2')
      const at12 = await page.evaluate<number>('document.activeElement.selectionStart')
      t.equal(rules.slice(at12, at12 + 7), '"wirte"', 'the cursor is at the fault')
      await page.getByLabel('Rules').fill(rules.replace('wirte', 'write'))
      await page.getByRole('button', { name: 'Create policy' }).click()
      await page.getByRole('heading', { name: 'queue' }).waitFor()
      await page.getByText('Nothing uses it.').waitFor()
      await page.getByRole('button', { name: 'Delete…' }).click()
      await page.getByRole('dialog').getByText('is used by nothing').waitFor()
      await page.getByRole('button', { name: 'Delete policy' }).click()
      await rowOf(page, 'discovery').waitFor()
      t.equal(await rowOf(page, 'queue').count(), 0)
      await rowOf(page, 'discovery').getByRole('link', { name: 'discovery' }).click()
      await page.getByRole('button', { name: 'Delete…' }).click()
      await page.getByRole('dialog').getByText('1 token and 1 role').waitFor()
      await page.getByRole('button', { name: 'Cancel' }).click()
    },
  )

  await t.test('a role is created, edited and deleted', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await useToken(page, origin, managementSecret)
    await page.goto(at('access/roles/new'))
    await page.getByLabel('Name').fill('monitoring')
    await page.getByLabel('Policies').fill('builtin/global-read-only')
    await page.getByRole('button', { name: 'Create role' }).click()
    await page.getByRole('heading', { name: 'monitoring' }).waitFor()
    await page.getByRole('link', { name: 'builtin/global-read-only' }).waitFor()
    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByLabel('Description').fill('reads all')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('reads all').waitFor()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete role' }).click()
    await rowOf(page, 'storefront').waitFor()
    t.equal(await rowOf(page, 'monitoring').count(), 0)
  })

  await t.test('the page of a token says who decides about a name', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await useToken(page, origin, managementSecret)
    await page.goto(at(`access/tokens/${shop.accessor}`))
    await page.getByLabel('What', { exact: true }).selectOption('key')
    await page.getByLabel('Name').fill('shop/password')
    await page.getByText('Denied').waitFor()
    await page.locator('.answer-of').getByText('key "shop/password" { policy = "deny" }').waitFor()
    await page.getByLabel('Name').fill('shop/port')
    await page.getByLabel('May it').selectOption('write')
    await page.getByText('Allowed').waitFor()
    await look(t, page, 'why')
    await page.locator('.answer-of').getByRole('link', { name: 'shop, line 2' }).click()
    await page.locator('.numbers .marked').getByText('2').waitFor()
    await page.goto(at(`access/tokens/${shop.accessor}`))
    await page.getByLabel('What', { exact: true }).selectOption('operator')
    await page.getByText('No rule covers it').waitFor()
    await page.getByText('operator = "read"').waitFor()
  })

  await t.test('controls that the token may not use are disabled, with the reason', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await useToken(page, origin, must(sample.tokens.get('Ada, reads only')).secret)
    await page.goto(at('access'))
    await page.getByText('The token lacks acl:write.').first().waitFor()
    const create = page.getByRole('button', { name: 'Create token' })
    t.equal(await create.getAttribute('aria-disabled'), 'true')
    t.equal(await create.getAttribute('title'), 'The token lacks acl:write.')
    await look(t, page, 'read-only')
    await page.goto(at(`access/tokens/${shop.accessor}`))
    const remove = page.getByRole('button', { name: 'Delete…' })
    await remove.click({ force: true })
    t.equal(await page.getByRole('dialog').count(), 0, 'a press does nothing')
    await useToken(page, origin, shop.secret)
    await page.goto(at('access'))
    await page.getByText('The token lacks acl:read.').waitFor()
    await look(t, page, 'no-right')
    await page.getByRole('link', { name: 'What may this token do?' }).click()
    await page.getByText('shop/password').waitFor()
    await look(t, page, 'own-of-shop')
    await page.setViewportSize({ width: 390, height: 900 })
    const lines = await page.evaluate<readonly number[]>(`
      [...document.querySelectorAll('.plain td:last-child > *')]
        .filter(({ textContent }) => textContent.startsWith('shop, line'))
        .map((place) => place.getClientRects().length)`)
    t.strictSame(new Set(lines), new Set([1]), 'also on a phone a rule has its line beside it')
  })

  await t.test('nothing that was typed is lost when the token ends', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    const { SecretID = '', AccessorID = '' } = await acl(agent, 'PUT', 'token', {
      Description: 'for an hour',
      Policies: [{ Name: 'global-management' }],
    })
    await useToken(page, origin, SecretID)
    await page.goto(at('access/policies/new'))
    await page.getByLabel('Name').fill('typed')
    await page.getByLabel('Rules').fill('operator = "read"')
    await acl(agent, 'DELETE', `token/${AccessorID}`)
    await page.getByRole('button', { name: 'Create policy' }).click()
    await page.getByText('The token of this tab is not valid').waitFor()
    await look(t, page, 'token-gone')
    t.equal(await page.getByLabel('Rules').inputValue(), 'operator = "read"')
    await page.getByLabel('Secret of another token').fill(managementSecret)
    await page.getByRole('button', { name: 'Use this token' }).click()
    await page.getByText('The token of this tab is not valid').waitFor({ state: 'hidden' })
    t.equal(await page.getByLabel('Name').inputValue(), 'typed')
    await page.getByRole('button', { name: 'Create policy' }).click()
    await page.getByRole('heading', { name: 'typed' }).waitFor()
  })

  await t.test('hostile names are shown as text', async (t) => {
    const hostile = '<img src=x onerror=alert(1)> \u202e{{7*7}} "\'`'
    await acl(agent, 'PUT', 'token', {
      Description: hostile,
      ServiceIdentities: [{ ServiceName: 'web' }],
    })
    const page = await openPage(t, browser, at('settings'))
    page.on('dialog', () => t.fail('a script of a name ran'))
    await useToken(page, origin, managementSecret)
    await page.goto(at('access'))
    await rowOf(page, 'onerror')
      .getByRole('link', { name: /onerror/ })
      .click()
    await page
      .getByRole('heading', { name: '<img src=x onerror=alert(1)> \\u{202e}{{7*7}}' })
      .waitFor()
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete token' }).click()
    await page.getByRole('heading', { name: 'Access' }).waitFor()
  })
})

t.test('without access control the page says how to turn it on', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/access`)
  await page.getByRole('heading', { name: 'Access control is off' }).waitFor()
  await look(t, page, 'off')
  await page.goto(`${agent.httpUrl}/ui/access/own`)
  await page.getByRole('heading', { name: 'You may do everything' }).waitFor()
})

t.test('before the first token exists the page says the one command', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1', '-acl'] })
  t.teardown(() => agent.stop())
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/access`)
  await page.getByText('svcd acl bootstrap').waitFor()
  await look(t, page, 'bootstrap')
  const answer = await fetch(`${agent.httpUrl}/v1/acl/bootstrap`, { method: 'PUT' })
  const { SecretID } = (await answer.json()) as { readonly SecretID: string }
  await page.getByLabel('SecretID').fill(SecretID)
  await page.getByRole('button', { name: 'Use this token' }).click()
  await page.getByRole('tab', { name: 'Policies' }).click()
  await page.getByText('There are only the built-in policies').waitFor()
  await look(t, page, 'policies-empty')
  await page.getByRole('tab', { name: 'Roles' }).click()
  await page.getByText('There are no roles').waitFor()
  await look(t, page, 'roles-empty')
})
