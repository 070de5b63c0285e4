import t from 'tap'
import type { Page } from 'playwright-core'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage } from './browser.ts'
import { rowOf, rowsOf } from './rows.ts'
import { fill, fillWithMany, register } from './sample.ts'

// What users of Consul's web UI complained about, a test for each thread of its issues. Those about keys and values
// are in the tests of these pages; 10,000 services that change all the time are in `npm run bench -- ui`.

const needs = { skip: noBrowser, timeout: 120_000 }

interface Instance {
  readonly Service: { readonly ID: string }
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[]
}

const statuses = ['none', 'passing', 'warning', 'critical', 'maintenance'] as const

/** The worst of a node's and a service's check, worked out without svcd's judge. */
function worst(node: string, service: string): string {
  const order = ['maintenance', 'critical', 'warning']
  return order.find((status) => status === node || status === service) ?? 'passing'
}

t.test(
  'C#22690: badges are those of the API, for each combination of node and service checks',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    const cases = statuses.flatMap((node) => statuses.map((service) => ({ node, service })))
    for (const { node, service } of cases) {
      const Node = `node-${node}-${service}`
      const id = `${node}-${service}`
      const Checks = [
        ...check(node, '', '_node_maintenance', 'node-check'),
        ...check(service, id, `_service_maintenance:${id}`, 'own-check'),
      ].map((each) => ({ ...each, Node }))
      const Service = { Service: id, ID: id, Port: 80 }
      await register(agent, { Node, Address: '10.0.0.1', Service, Checks })
    }
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services?sort=name`)
    await page.getByText(`${cases.length + 1} services`).waitFor()
    for (const { node, service } of cases) {
      const id = `${node}-${service}`
      await page.locator('.search input').fill(`service:${id}`)
      await page.getByText(`1 service of ${cases.length + 1}`).waitFor()
      const badge = await rowsOf(page).first().locator('.mark').getAttribute('title')
      t.equal(badge, worst(node, service), id)
      const path = `${agent.httpUrl}/v1/health/service/${id}`
      const passing = (await (await fetch(`${path}?passing`)).json()) as readonly Instance[]
      t.equal(badge === 'passing', passing.length === 1, `${id} is as ?passing says`)
    }
  },
)

function check(status: string, ServiceID: string, maintenance: string, id: string) {
  if (status === 'none') return []
  const isMaintenance = status === 'maintenance'
  const CheckID = isMaintenance ? maintenance : id
  return [{ CheckID, Name: CheckID, Status: isMaintenance ? 'critical' : status, ServiceID }]
}

async function isOnPage(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor()
}

t.test('with the catalog of a team', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await fill(agent)
  const browser = await openBrowser(t)
  const at = (path: string): string => `${agent.httpUrl}/ui/${path}`

  await t.test(
    'C#9648, #1049, #4202: a check of the node counts for each instance on it, with its name',
    async (t) => {
      const page = await openPage(t, browser, at('nodes/batch-host'))
      await isOnPage(page, '0 of 2 instances passing')
      for (const name of ['mail-1', 'reports-1']) {
        t.equal(await rowOf(page, name).locator('.mark').getAttribute('title'), 'critical', name)
        await rowOf(page, name).getByText('Agent not live or unreachable').waitFor()
      }
      await page.goto(at('services/mail'))
      await rowOf(page, 'mail-1').getByText('Agent not live or unreachable').waitFor()
    },
  )

  await t.test('C#16503: the first paint counts what the API has', async (t) => {
    const page = await openPage(t, browser, at('services'))
    const [count = ''] = await page
      .locator('.count')
      .allInnerTexts()
      .then(async (texts) => {
        await page.locator('.count').waitFor()
        return texts.length > 0 ? texts : page.locator('.count').allInnerTexts()
      })
    const all = (await (await fetch(`${agent.httpUrl}/v1/catalog/services`)).json()) as object
    t.equal(count, `${Object.keys(all).length} services`)
  })

  await t.test(
    'C#2400, #420, #4201, #1767: several tags, metadata, one of several, and tags that are links',
    async (t) => {
      const page = await openPage(t, browser, at('services?q=tag:v1+tag:eu+-service:billing'))
      await isOnPage(page, '9 services of')
      await page.goto(at('services?q=tag:cache,smtp'))
      await isOnPage(page, '2 services of')
      await page.goto(at('services?q=meta.version:1.5.0'))
      await rowOf(page, 'web').waitFor()
      t.equal(await rowsOf(page).count(), 1)
      await page.goto(at('services/redis'))
      await rowOf(page, 'redis-1').getByRole('link', { name: 'cache' }).click()
      await isOnPage(page, '1 service of')
    },
  )

  await t.test('C#4115: rows of instances have address, port and tags', async (t) => {
    const page = await openPage(t, browser, at('services/postgres'))
    for (const text of ['10.9.1.1:5432', 'primary'])
      await rowOf(page, 'postgres-1').getByText(text).waitFor()
    await rowOf(page, 'postgres-2').getByText('[fd00::9:2]:5432').waitFor()
  })

  await t.test('C#3029, #364: deregistration from the UI', async (t) => {
    const page = await openPage(t, browser, at('services/redis/db-host-2/redis-1'))
    await page.getByRole('button', { name: 'Deregister…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister', exact: true }).click()
    await isOnPage(page, 'This instance is not registered')
    t.strictSame(await (await fetch(`${agent.httpUrl}/v1/catalog/service/redis`)).json(), [])
  })

  await t.test('C#1655, #892: a token that is wrong can be replaced and forgotten', async (t) => {
    const page = await openPage(t, browser, at('settings'))
    await isOnPage(page, 'Access control is off')
    t.equal(
      await page.evaluate(
        'sessionStorage.length + Object.keys(localStorage).filter((key) => /token/.test(key)).length',
      ),
      0,
    )
  })
})

t.test(
  'C#11580: while many services change, only changed rows are sent, and a row under the pointer stays',
  needs,
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    t.teardown(() => agent.stop())
    await fillWithMany(agent, 640)
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${agent.httpUrl}/ui/services`)
    await page.getByText('641 services').waitFor()
    const third = rowsOf(page).nth(2)
    const name = await third.locator('.cell-name').innerText()
    await third.hover()
    for (let at = 600; at < 640; at++) await fail(agent, `service-00${at}`)
    await page.locator('.health-summary').getByText('40 critical').waitFor()
    t.equal(await third.locator('.cell-name').innerText(), name, 'the pointer is over the same row')
    await page.mouse.move(0, 0)
    await rowsOf(page).first().getByText('critical').waitFor()
    t.ok((await rowsOf(page).count()) < 60, 'few rows are drawn')
  },
)

async function fail(agent: AgentProcess, id: string): Promise<void> {
  const Check = { CheckID: `c-${id}`, Name: 'c', Status: 'critical', ServiceID: id }
  await register(agent, { Node: 'many', Address: '', SkipNodeUpdate: true, Check })
}
