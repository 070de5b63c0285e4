import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { browserFile } from '../helpers/browser-file.ts'

export type { Browser, Page } from 'playwright-core'

// A real browser for the tests of the web UI: Debian's chromium.

export type Theme = 'light' | 'dark'

/** Where pictures of the pages go, for people to look at. */
const pictures = process.env['SVCD_PICTURES'] ?? join(tmpdir(), 'svcd-ui-pictures')

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
)

/** How a page is looked at: a picture of each, and axe-core where it may find something else. */
export const views = [
  { theme: 'light', width: 1440, isJudged: true },
  { theme: 'dark', width: 1440, isJudged: false },
  { theme: 'light', width: 390, isJudged: false },
  { theme: 'dark', width: 390, isJudged: true },
] as const

export function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
}

/** Waits until the page has been drawn again. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  )
}

/** Whether a link is underlined, as those inside a text are. */
export async function isUnderlined(page: Page, selector: string): Promise<boolean> {
  await page.locator(selector).first().waitFor()
  const link = `document.querySelector(${JSON.stringify(selector)})`
  return page.evaluate<boolean>(`getComputedStyle(${link}).textDecorationLine !== 'none'`)
}

/** Where an element is on the screen. */
export async function boxOf(element: Locator): Promise<{
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}> {
  const { x, y, width, height } = must((await element.boundingBox()) ?? undefined)
  return { left: x, right: x + width, top: y, bottom: y + height }
}

export function launchBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic']
  return chromium.launch({ executablePath: must(browserFile), args })
}

/** A browser that is closed with the test. */
export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  return browser
}

export interface ViewOptions {
  readonly theme?: Theme
  readonly width?: number
  readonly height?: number
}

/** A page of its own, which fails the test when a script fails or the policy stops something. */
export async function openPage(
  t: Test,
  browser: Browser,
  url: string,
  { theme = 'light', width = 1440, height = 900 }: ViewOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  })
  context.setDefaultTimeout(10_000)
  t.teardown(() => context.close())
  return watched(t, context, url)
}

async function watched(t: Test, context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(`a script failed: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !isExpected(message.text())) t.fail(message.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) t.fail(`asks for ${request.url()}`)
  })
  await page.goto(url)
  return page
}

/** Follows a link of the UI, which does not load the page again. */
export async function follow(page: Page, href: string): Promise<void> {
  await page.evaluate(`{
    const link = document.createElement('a')
    link.href = ${JSON.stringify(href)}
    document.body.append(link)
    link.click()
    link.remove()
  }`)
}

/** The browser logs each answer that is not a success. */
function isExpected(text: string): boolean {
  return /^Failed to load resource: (?:the server responded|net::ERR_)/.test(text)
}

/** What axe-core finds wrong with a page, one line each. */
export async function violations(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axeSource)
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
      ({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary) })))`,
  )
  return found.map(({ id, help, where }) => `${id}: ${help}\n${where.slice(0, 3).join('\n')}`)
}

interface Violation {
  readonly id: string
  readonly help: string
  readonly where: readonly string[]
}

/** Keeps a picture of what can be seen. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true })
  // Hiding the caret would need an inline style, which the policy of the page forbids.
  await page.screenshot({ path: join(pictures, `${name}.png`), caret: 'initial' })
}
