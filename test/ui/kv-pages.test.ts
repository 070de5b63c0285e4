import type { Page } from 'playwright-core'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import {
  isUnderlined,
  openBrowser,
  openPage,
  picture,
  scrollsSideways,
  views,
  violations,
} from './browser.ts'
import { fill } from './sample.ts'
import { fillKeys } from './sample-kv.ts'

// The pages of keys in both themes and widths. Look at the pictures after a change of the style.

const pages = [
  { name: 'kv', path: 'kv', sign: 'motd' },
  { name: 'kv-folder', path: 'kv/folder/config%2F', sign: 'release' },
  { name: 'kv-find', path: 'kv/folder/config%2F?find=db', sign: '3 keys of 9' },
  { name: 'kv-key', path: 'kv/key/config%2Fdb%2Fsettings.json', sign: '"idleTimeout": "30s"' },
  { name: 'kv-text', path: 'kv/key/config%2Fweb%2Fbanner', sign: 'Maintenance on Sunday' },
  { name: 'kv-binary', path: 'kv/key/config%2Fweb%2Flogo.png', sign: 'ACVKb5S53gMoTXKX' },
  { name: 'kv-locked', path: 'kv/key/locks%2Freports', sign: 'locked by' },
  { name: 'kv-none', path: 'kv/key/config%2Fnone', sign: 'This key does not exist' },
  { name: 'kv-no-folder', path: 'kv/folder/none%2F', sign: 'No key begins with' },
  { name: 'kv-new', path: 'kv/new?below=config%2F', sign: 'Slashes make folders' },
] as const

const needs = { skip: noBrowser, timeout: 180_000 }

async function edit(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Edit' }).click()
}

t.test('each page of keys is fit to be seen, in both themes and widths', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await fill(agent)
  await fillKeys(agent)
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/`)
  const look = async (name: string, sign: string): Promise<void> => {
    for (const { theme, width, isJudged } of views) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      await page.getByText(sign).first().waitFor()
      await picture(page, `${name}-${theme}-${width}`)
      t.notOk(await scrollsSideways(page), `${name}: ${width} px do not scroll sideways`)
      if (isJudged) t.strictSame(await violations(page), [], `${name}: ${theme}, ${width} px`)
    }
  }
  for (const { name, path, sign } of pages) {
    await page.goto(`${agent.httpUrl}/ui/${path}`)
    await look(name, sign)
  }
  await page.goto(`${agent.httpUrl}/ui/kv/key/config%2Fdb%2Fsettings.json`)
  await edit(page)
  await look('kv-edit', 'Flags, a number for programs')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Delete…' }).click()
  await look('kv-delete', 'Delete this key?')
})

t.test('without keys the page says how to store the first one', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  const browser = await openBrowser(t)
  for (const { theme, width } of views) {
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/kv`, { theme, width })
    await page.getByText('svcd kv put config/color blue').waitFor()
    await picture(page, `kv-empty-${theme}-${width}`)
    const isLikeText = await isUnderlined(page, 'p > a.button')
    t.notOk(isLikeText, 'a link that looks like a button is not underlined')
    t.strictSame(await violations(page), [], `${theme}, ${width} px`)
  }
})
