import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { launchBrowser } from '../ui/browser.ts'
import type { Browser, Page } from '../ui/browser.ts'
import { fill, fillWithMany, register } from '../ui/sample.ts'
import { median, table } from './report.ts'

// The web UI in a real browser: how fast pages come, and what a page costs while the cluster changes.

const services = 10_000
const changesPerSecond = 50
const watchedMs = 10_000
const tabs = 5

/** Runs in the page, before its own code. Frames that take longer than 50 ms are long (Long Animation Frames). */
const probe = `
  window.seen = { rowMs: 0, dataMs: 0, longMs: [] }
  let isShown
  window.shown = new Promise((resolve) => { isShown = resolve })
  const parse = JSON.parse
  JSON.parse = (text, ...rest) => {
    if (text.length > 100000) window.seen.dataMs ||= performance.now()
    return parse(text, ...rest)
  }
  new MutationObserver((_changes, observer) => {
    if (document.querySelector('.grid .body .row') === null) return
    observer.disconnect()
    requestAnimationFrame(() => setTimeout(() => {
      window.seen.rowMs = performance.now()
      isShown()
    }))
  }).observe(document, { childList: true, subtree: true })
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.seen.longMs.push(duration)
  }).observe({ type: 'long-animation-frame' })
`

interface Seen {
  /** When the first row could be seen. */
  readonly rowMs: number
  /** When the list had arrived. */
  readonly dataMs: number
  readonly longMs: readonly number[]
}

export async function benchUi(): Promise<string> {
  const browser = await launchBrowser()
  try {
    const rows = [...(await firstLoad(browser)), ...(await manyServices(browser))]
    return table(
      `The web UI in Chromium, ${services.toLocaleString('en')} services, ${changesPerSecond} changes/s`,
      ['figure', 'measured', 'bar'],
      rows,
    )
  } finally {
    await browser.close()
  }
}

async function firstLoad(browser: Browser): Promise<readonly (readonly string[])[]> {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  try {
    await fill(agent)
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < 7; round++) {
      const page = await open(browser, agent)
      times.push((await seen(page)).rowMs)
      bytes = await page.evaluate<number>(
        `performance.getEntries().filter(({ entryType }) => /^(resource|navigation)$/.test(entryType))
          .filter(({ name }) => name.includes('/ui/')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`,
      )
      await page.context().close()
    }
    return [
      ['first load, compressed (kB)', (bytes / 1000).toFixed(1), '60'],
      ['until the list is there, median of 7 (ms)', median(times).toFixed(0), '300'],
    ]
  } finally {
    await agent.stop()
  }
}

async function manyServices(browser: Browser): Promise<readonly (readonly string[])[]> {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  try {
    await fillWithMany(agent, services)
    const shown: number[] = []
    for (let round = 0; round < 5; round++) {
      const page = await open(browser, agent)
      const { rowMs, dataMs } = await seen(page)
      shown.push(rowMs - dataMs)
      await page.context().close()
    }
    const load = new Changes(agent)
    const alone = await agentCpu(agent, watchedMs)
    const page = await open(browser, agent)
    await seen(page)
    await sleep(3000)
    const frames = await watch(browser, page, agent)
    const keys = await keyTimes(page)
    const others: Page[] = []
    while (others.length < tabs - 1) others.push(await open(browser, agent))
    await sleep(3000)
    const withTabs = await agentCpu(agent, watchedMs)
    await load.stop()
    const perTab = (withTabs - frames.agent) / (tabs - 1)
    return [
      ['shown after the data has arrived, median of 5 (ms)', median(shown).toFixed(0), '200'],
      ['a key in the query box, median / longest (ms)', keys, '50'],
      [
        `frames over 50 ms in ${watchedMs / 1000} s; the longest (ms)`,
        `${frames.longMs.length}; ${Math.max(0, ...frames.longMs).toFixed(0)}`,
        'none',
      ],
      ['CPU of the tab (% of a core)', frames.tab.toFixed(1), '15'],
      [
        'CPU of the agent: no tab, one tab (% of a core)',
        [alone, frames.agent].map((cpu) => cpu.toFixed(1)).join(', '),
        '–',
      ],
      [`CPU of the agent per further tab, of ${tabs} (% of a core)`, perTab.toFixed(1), '2'],
    ]
  } finally {
    await agent.stop()
  }
}

async function open(browser: Browser, agent: AgentProcess): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.addInitScript(probe)
  await page.goto(`${agent.httpUrl}/ui/services`)
  return page
}

function seen(page: Page): Promise<Seen> {
  return page.evaluate<Seen>('window.shown.then(() => window.seen)')
}

/** What a page costs while services change: long frames, and the CPU time of its process and of the agent, in %. */
async function watch(browser: Browser, page: Page, agent: AgentProcess) {
  await page.evaluate('window.seen.longMs = []')
  const began = await rendererSeconds(browser)
  const agentShare = await agentCpu(agent, watchedMs)
  const ended = await rendererSeconds(browser)
  const { longMs } = await page.evaluate<Seen>('window.seen')
  return { longMs, tab: ((ended - began) / (watchedMs / 1000)) * 100, agent: agentShare }
}

async function rendererSeconds(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return processInfo
    .filter(({ type }) => type === 'renderer')
    .reduce((sum, { cpuTime }) => sum + cpuTime, 0)
}

/** From a key to the frame that shows its rows, for each letter of a query. */
async function keyTimes(page: Page): Promise<string> {
  const times: number[] = []
  await page.keyboard.press('/')
  for (const text of ['s', 'se', 'ser', 'serv', 'service-0', 'service-07', 'service-077']) {
    times.push(
      await page.evaluate<number>(`(async () => {
        const box = document.querySelector('.search input')
        const began = performance.now()
        box.value = '${text}'
        box.dispatchEvent(new InputEvent('input', { bubbles: true }))
        await new Promise(requestAnimationFrame)
        await new Promise((resolve) => setTimeout(resolve))
        return performance.now() - began
      })()`),
    )
  }
  await page.locator('.search input').fill('')
  return `${median(times).toFixed(0)} / ${Math.max(...times).toFixed(0)}`
}

/** In % of a core, over some time. */
async function agentCpu(agent: AgentProcess, forMs: number): Promise<number> {
  const cpuMs = (): number => {
    const stat = readFileSync(`/proc/${must(agent.child.pid)}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
  const began = cpuMs()
  const startMs = performance.now()
  await sleep(forMs)
  return ((cpuMs() - began) / (performance.now() - startMs)) * 100
}

/** Checks that change, spread over all services. */
class Changes {
  readonly #running: Promise<void>
  #isStopped = false

  constructor(agent: AgentProcess) {
    this.#running = this.#run(agent)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(agent: AgentProcess): Promise<void> {
    const startMs = performance.now()
    for (let count = 0; !this.#isStopped; count++) {
      const id = `service-${String((count * 37) % services).padStart(5, '0')}`
      const Status = count % 3 === 0 ? 'passing' : 'critical'
      const Check = { CheckID: `check-${id}`, Name: 'c', Status, Output: `${count}`, ServiceID: id }
      await register(agent, { Node: 'many', Address: '', SkipNodeUpdate: true, Check })
      const dueMs = startMs + (count * 1000) / changesPerSecond
      await sleep(Math.max(0, dueMs - performance.now()))
    }
  }
}
