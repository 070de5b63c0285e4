import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgentProcess } from '../helpers/agent-process.ts'
import { launchBrowser } from '../ui/browser.ts'
import { fill } from '../ui/sample.ts'

// npm run screenshots: takes the pictures of docs/ui.md again, from the sample of the UI's tests.

interface Shot {
  readonly name: string
  readonly path: string
  /** The text that is there when the page is complete. */
  readonly sign: string
  readonly theme?: 'dark'
  readonly width?: number
  /** What is clicked first. */
  readonly click?: string
}

const shots: readonly Shot[] = [
  { name: 'ui-services', path: 'services', sign: 'connection pool exhausted' },
  { name: 'ui-service', path: 'services/web', sign: '10.9.0.2:8080' },
  { name: 'ui-dns', path: 'services/web?tab=dns', sign: 'web-host-1.node.dc1.consul.' },
  { name: 'ui-use', path: 'services/web?tab=use', sign: 'needs dig' },
  {
    name: 'ui-instance',
    path: 'services/web/web-host-2/web-3',
    sign: 'Everybody who looks',
    click: 'Start maintenance…',
  },
  { name: 'ui-nodes-dark', path: 'nodes', sign: 'Agent not live', theme: 'dark' },
  { name: 'ui-phone', path: 'services', sign: 'connection pool', width: 390 },
]

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
const browser = await launchBrowser()
try {
  await fill(agent)
  for (const shot of shots) await take(shot)
} finally {
  await browser.close()
  await agent.stop()
}

async function take({ name, path, sign, theme, width = 1200, click }: Shot): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height: 640 },
    colorScheme: theme ?? 'light',
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  })
  const page = await context.newPage()
  await page.goto(`${agent.httpUrl}/ui/${path}`)
  await page.locator('h1').waitFor()
  if (click !== undefined) await page.getByRole('button', { name: click }).click()
  await page.getByText(sign).first().waitFor()
  const file = join(folder, `${name}.png`)
  await page.screenshot({ path: file, caret: 'initial' })
  console.log(file)
  await context.close()
}
