import t from 'tap'
import type { Page } from 'playwright-core'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { follow, openBrowser, openPage, picture, violations } from './browser.ts'
import { fillKeys, putKey } from './sample-kv.ts'

// Keys in the web UI: read, changed and deleted in a real browser.

const needs = { skip: noBrowser, timeout: 240_000 }

function rowOf(page: Page, text: string) {
  return page.locator('.grid .body [role="row"]').filter({ hasText: text })
}

const valueBox = (page: Page) => page.getByRole('textbox', { name: 'Value' })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const shown = (page: Page) => page.getByLabel('Value', { exact: true }).innerText()

async function valueOf(agent: AgentProcess, key: string): Promise<string | undefined> {
  const answer = await fetch(`${agent.httpUrl}/v1/kv/${encodeURIComponent(key)}?raw`)
  return answer.status === 404 ? undefined : answer.text()
}

/** Names that break a URL, a page or a terminal. All are legal. */
const hostile = [
  'a%2Fb',
  '%25',
  '%2F',
  '%2E',
  '%252E%252E',
  '100%',
  '%zz',
  '#fragment',
  'a#b?c=d&e',
  '?recurse',
  'a b  c',
  ' leading and trailing ',
  '.',
  '..',
  './a',
  '../../etc/passwd',
  'a/../b',
  'a//b',
  '/leading',
  'trailing/',
  'ünïcödé/漢字',
  'שלום/עולם',
  '\u202eright-to-left\u202c',
  'zero\u200bwidth\ufeff',
  '👩‍👩‍👧/e\u0301',
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '"\'`\\;$(id)&|',
  'create',
  'new',
  'key/new/folder',
  `${'long/'.repeat(40)}${'k'.repeat(10_000)}`,
] as const

t.test('hostile names of keys survive a round trip through the page', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/kv`)
  page.on('dialog', () => t.fail('a script of a name ran'))
  await page.getByRole('heading', { level: 1 }).waitFor()
  for (const [at, name] of hostile.entries()) {
    const label = name.slice(0, 40)
    await follow(page, '/ui/kv/new')
    await page.locator('input.wide').fill(name)
    await valueBox(page).fill(`value ${at}`)
    await press(page, 'Save')
    await page.getByRole('button', { name: 'Edit' }).waitFor()
    t.equal(await shown(page), `value ${at}`, `${label} is stored`)
    await page.reload()
    await page.getByRole('button', { name: 'Edit' }).click()
    await valueBox(page).fill(`changed ${at}`)
    await press(page, 'Save')
    await page.getByRole('button', { name: 'Edit' }).waitFor()
    await page.locator('pre', { hasText: `changed ${at}` }).waitFor()
  }
  const stored =
    await agent.get<readonly { readonly Key: string; readonly Value: string }[]>('kv/?recurse')
  const values = new Map(stored.map(({ Key, Value }) => [Key, Buffer.from(Value, 'base64')]))
  t.equal(stored.length, hostile.length, 'no other key came to be')
  for (const [at, name] of hostile.entries()) {
    t.equal(values.get(name)?.toString(), `changed ${at}`, name.slice(0, 40))
  }
  await page.goto(`${agent.httpUrl}/ui/kv?find=e`)
  await rowOf(page, 'etc/passwd').waitFor()
  t.strictSame(await violations(page), [])
  await picture(page, 'kv-hostile')
  for (const name of hostile) {
    const find = name.length > 1000 ? 'kkkkkkkk' : name
    await follow(page, `/ui/kv?find=${encodeURIComponent(find)}`)
    const at = hostile.indexOf(name)
    const rows = page.locator('.key-list a.name')
    await rows.first().waitFor()
    const hrefs = await rows.evaluateAll<readonly string[], HTMLElementLike>((links) =>
      links.map((link) => link.getAttribute('href') ?? ''),
    )
    const found = hrefs.findIndex((text) => keyIn(text) === name)
    t.ok(found >= 0, `the search finds ${name.slice(0, 40)}`)
    await rows.nth(found).click()
    await page.locator('pre', { hasText: `changed ${at}` }).waitFor()
    await press(page, 'Delete…')
    await press(page, 'Delete')
    await page.getByText('This key is deleted').waitFor()
  }
  t.strictSame(await agent.get('kv/?keys'), [], 'each was deleted')
})

interface HTMLElementLike {
  getAttribute(name: string): string | null
}

/** The key that a link of the UI names. */
function keyIn(href: string): string {
  const path = decodeURIComponent(/^\/ui\/kv\/key\/([^?]*)/.exec(href)?.[1] ?? '')
  return /^(?:%(?:25)*2E){1,2}$/.test(path) ? decodeURIComponent(path) : path
}

t.test('with keys of a team', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await fillKeys(agent)
  const browser = await openBrowser(t)
  const open = (path: string) => openPage(t, browser, `${agent.httpUrl}/ui/${path}`)
  const openKey = (key: string) => open(`kv/key/${encodeURIComponent(key)}`)

  await t.test('folders lead to keys, with the keyboard and without a reload', async (t) => {
    const page = await open('kv')
    await rowOf(page, 'config/').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'config/' }).waitFor()
    await page.locator('.key-list').getByRole('link', { name: 'db/' }).click()
    await page.locator('.key-list').getByRole('link', { name: 'port' }).click()
    await page.locator('pre', { hasText: '5432' }).waitFor()
    await putKey(agent, 'config/db/new-here', 'x')
    await rowOf(page, 'new-here').waitFor()
    await putKey(agent, 'config/db/port', '6543')
    await page.locator('pre', { hasText: '6543' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'config/db/' }).waitFor()
    t.match(page.url(), /\/ui\/kv\/folder\/config%2Fdb%2F$/)
  })

  await t.test('a search finds keys at any depth, and stays while they are read', async (t) => {
    const page = await open('kv')
    await page.getByPlaceholder('Find in all keys').fill('db port')
    await rowOf(page, 'config/db/port').waitFor()
    await page.getByText('1 key of').waitFor()
    await page.locator('.key-list').getByRole('link', { name: 'config/db/port' }).click()
    await page.getByRole('heading', { name: 'config/db/port' }).waitFor()
    t.equal(await page.locator('.find input').inputValue(), 'db port')
    // The list is drawn again beside the key.
    await rowOf(page, 'config/db/port').waitFor()
    t.equal(await rowOf(page, 'config/db/port').count(), 1)
  })

  await t.test('JSON is checked, and only formatted when one asks for it', async (t) => {
    const page = await openKey('config/json')
    await press(page, 'Create it')
    await page.getByRole('radio', { name: 'JSON' }).check()
    await valueBox(page).fill('{"id": 12345678901234567890, "a": 1.0,')
    await page.getByText('This is not valid JSON').waitFor()
    t.ok(await page.getByRole('button', { name: 'Save' }).isDisabled())
    const text = '{"id": 12345678901234567890, "a": 1.0, "a": []}'
    await valueBox(page).fill(text)
    await press(page, 'Save')
    await page.getByRole('button', { name: 'Edit' }).waitFor()
    t.equal(await valueOf(agent, 'config/json'), text, 'stored as it was typed')
    const formatted = '{\n  "id": 12345678901234567890,\n  "a": 1.0,\n  "a": []\n}'
    t.equal(await shown(page), formatted, 'numbers and names stay as they are')
    await page.getByRole('radio', { name: 'As stored' }).check()
    t.equal(await shown(page), text)
    await press(page, 'Edit')
    await press(page, 'Format')
    await press(page, 'Save')
    await page.getByRole('button', { name: 'Edit' }).waitFor()
    t.equal(await valueOf(agent, 'config/json'), formatted)
  })

  await t.test('bytes that are no text are changed as base64, and stay exact', async (t) => {
    const bytes = Uint8Array.from({ length: 256 }, (_none, at) => at)
    await putKey(agent, 'config/bytes', bytes, 'flags=18446744073709551615')
    const page = await openKey('config/bytes')
    await page.getByText('18446744073709551615').waitFor()
    await press(page, 'Edit')
    t.ok(await page.getByRole('radio', { name: 'Text', exact: true }).isDisabled())
    await valueBox(page).fill('AAH/\n/w==')
    await press(page, 'Save')
    // The editor says the size as well.
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor()
    await page.getByText('4 bytes').waitFor()
    type Row = { readonly Value: string }
    t.equal((await agent.get<readonly Row[]>('kv/config/bytes'))[0]?.Value, 'AAH//w==')
    const answer = await (await fetch(`${agent.httpUrl}/v1/kv/config/bytes`)).text()
    t.match(answer, '"Flags":18446744073709551615')
  })

  await t.test(
    'a change by somebody else is shown as a difference, and nothing is lost',
    async (t) => {
      const key = 'config/shared'
      await putKey(agent, key, 'one\ntwo\nthree\n')
      const page = await openKey(key)
      await press(page, 'Edit')
      await valueBox(page).fill('one\n2\nthree\n')
      await putKey(agent, key, 'one\ntwo\n3\n')
      await page.getByText('This key was changed while you edit it').waitFor()
      await press(page, 'Save')
      await page.getByText('Nothing is written yet').waitFor()
      t.equal(await valueOf(agent, key), 'one\ntwo\n3\n')
      t.strictSame(await page.locator('.diff .removed, .diff .added').allTextContents(), [
        '− stored now: two\n',
        '− stored now: 3\n',
        '+ yours: 2\n',
        '+ yours: three\n',
      ])
      await picture(page, 'kv-conflict')
      t.strictSame(await violations(page), [])
      await press(page, 'Continue to edit mine')
      t.equal(await valueBox(page).inputValue(), 'one\n2\nthree\n')
      await valueBox(page).fill('one\n2\n3\n')
      await press(page, 'Save')
      await page.getByRole('button', { name: 'Edit' }).waitFor()
      t.equal(await valueOf(agent, key), 'one\n2\n3\n')
    },
  )

  await t.test('a page with typed text asks before it is left, and keeps the text', async (t) => {
    const page = await open('kv')
    await page.locator('.key-list').getByRole('link', { name: 'motd' }).click()
    await press(page, 'Edit')
    await valueBox(page).fill('half a sentence')
    const nav = page.getByRole('navigation', { name: 'Pages' })
    await nav.getByRole('link', { name: 'Services' }).click()
    await page.getByText('Leave without saving?').waitFor()
    t.strictSame(await violations(page), [])
    await press(page, 'Stay here')
    t.equal(await valueBox(page).inputValue(), 'half a sentence')
    await nav.getByRole('link', { name: 'Services' }).click()
    await press(page, 'Leave')
    await page.getByRole('heading', { name: 'Services' }).waitFor()
    await page.goBack()
    t.equal(await valueBox(page).inputValue(), 'half a sentence', 'it is still there')
    await page.goBack()
    await page.getByText('Leave without saving?').waitFor()
    await press(page, 'Stay here')
    t.equal(await valueBox(page).inputValue(), 'half a sentence')
    await press(page, 'Cancel')
    await page.locator('pre', { hasText: 'All systems are normal.' }).waitFor()
  })

  await t.test(
    'a deleted key comes back by Undo, a folder is deleted after its count',
    async (t) => {
      const page = await openKey('config/region')
      await press(page, 'Delete…')
      await page.getByText('is deleted on all servers').waitFor()
      await press(page, 'Delete')
      await page.getByText('This key is deleted').waitFor()
      t.equal(await valueOf(agent, 'config/region'), undefined)
      await press(page, 'Undo')
      await page.locator('pre', { hasText: 'eu-north' }).waitFor()
      t.equal(await valueOf(agent, 'config/region'), 'eu-north')
      await page.goto(`${agent.httpUrl}/ui/kv/folder/features%2F`)
      await press(page, 'Delete this folder…')
      await page.getByText('features/new-checkout').waitFor()
      await picture(page, 'kv-delete-folder')
      t.strictSame(await violations(page), [])
      await press(page, 'Delete 2 keys')
      await page.getByRole('heading', { name: 'Key/Value' }).waitFor()
      t.equal(await valueOf(agent, 'features/dark-mode'), undefined)
      t.equal(await valueOf(agent, 'motd'), 'All systems are normal.', 'others stay')
    },
  )

  await t.test('the name of a new key must be free', async (t) => {
    const page = await open('kv/new?below=config%2F')
    await page.locator('input.wide').fill('motd')
    await valueBox(page).fill('mine')
    await press(page, 'Save')
    await page.getByText('This key exists already').waitFor()
    t.equal(await valueBox(page).inputValue(), 'mine')
    t.equal(await valueOf(agent, 'motd'), 'All systems are normal.')
  })
})

t.test('typed text outlives an agent that is gone', needs, async (t) => {
  const first = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  await putKey(first, 'motd', 'hello')
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${first.httpUrl}/ui/kv/key/motd`)
  await press(page, 'Edit')
  await valueBox(page).fill('typed before the end')
  await first.stop()
  await page.getByText(/^stale since/).waitFor()
  await press(page, 'Save')
  await page.getByText('Nothing was lost').waitFor()
  t.equal(await valueBox(page).inputValue(), 'typed before the end')
  await picture(page, 'kv-agent-gone')
  const port = `-http-port=${first.httpPort}`
  const second = await AgentProcess.start({ args: ['-dev', '-node', 'n1', port] })
  t.teardown(() => second.stop())
  await page.getByText('This key was deleted while you edit it').waitFor()
  await press(page, 'Compare')
  await press(page, 'Create it again with mine')
  await page.getByRole('button', { name: 'Edit' }).waitFor()
  t.equal(await valueOf(second, 'motd'), 'typed before the end')
})

t.test(
  'with access control the page says what is missing, and keeps what was typed',
  needs,
  async (t) => {
    const secret = '11111111-2222-3333-4444-555555555555'
    const acl = ['-acl', '-acl-default-policy=deny', `-acl-initial-management=${secret}`]
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1', ...acl] })
    t.teardown(() => agent.stop())
    const put = async (
      path: string,
      body: object | string,
    ): Promise<{ SecretID: string; AccessorID: string }> => {
      const answer = await fetch(`${agent.httpUrl}/v1/${path}`, {
        method: 'PUT',
        headers: { 'X-Consul-Token': secret },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
      return (await answer.json()) as { SecretID: string; AccessorID: string }
    }
    await put('kv/team/motd', 'hello')
    await put('kv/team/free', 'change me')
    const Rules = 'key_prefix "team/" { policy = "read" }\nkey "team/free" { policy = "write" }'
    await put('acl/policy', { Name: 'reader', Rules })
    const token = await put('acl/token', { Policies: [{ Name: 'reader' }] })
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/settings`)
    await page.getByLabel('Secret').fill(token.SecretID)
    await press(page, 'Use this token')
    await page.getByText('reader').waitFor()
    await page.goto(`${agent.httpUrl}/ui/kv/key/team%2Fmotd`)
    await page.getByText('You cannot change this key').waitFor()
    t.ok(await page.getByRole('button', { name: 'Edit' }).isDisabled())
    await picture(page, 'kv-read-only')
    t.strictSame(await violations(page), [])
    await page.goto(`${agent.httpUrl}/ui/kv/key/other`)
    await page.getByText('The token does not allow this').waitFor()
    await page.goto(`${agent.httpUrl}/ui/kv/key/team%2Ffree`)
    await press(page, 'Edit')
    await valueBox(page).fill('typed with a token that ends')
    await fetch(`${agent.httpUrl}/v1/acl/token/${token.AccessorID}`, {
      method: 'DELETE',
      headers: { 'X-Consul-Token': secret },
    })
    await press(page, 'Save')
    await page.getByText('Nothing was lost').waitFor()
    await picture(page, 'kv-token-gone')
    await page.getByRole('link', { name: 'Change the token' }).click()
    await press(page, 'Leave')
    await page.getByLabel('Secret').fill(secret)
    await press(page, 'Use this token')
    await page.getByText('global-management').waitFor()
    await page.goBack()
    t.equal(await valueBox(page).inputValue(), 'typed with a token that ends')
    await press(page, 'Save')
    await page.locator('pre', { hasText: 'typed with a token that ends' }).waitFor()
  },
)
