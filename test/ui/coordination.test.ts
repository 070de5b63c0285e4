import t from 'tap'
import type { Page } from 'playwright-core'
import { AgentProcess } from '../helpers/agent-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import {
  boxOf,
  openBrowser,
  openPage,
  picture,
  scrollsSideways,
  views,
  violations,
} from './browser.ts'
import { createSession, fillKeys, fillQueries, putKey } from './sample-kv.ts'
import { fill } from './sample.ts'

// Sessions, prepared queries and events in the web UI, in a real browser.

const needs = { skip: noBrowser, timeout: 240_000 }

function rowOf(page: Page, text: string) {
  return page.locator('.grid .body [role="row"]').filter({ hasText: text })
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

t.test('sessions, queries and events of a team', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  await fill(agent)
  const { session } = await fillKeys(agent)
  const queries = await fillQueries(agent)
  await createSession(agent, { Name: 'leader of postgres', TTL: '5m', LockDelay: '0s' })
  await createSession(agent, { Name: '', Behavior: 'delete', LockDelay: '5s' })
  await agent.put('event/fire/deploy?service=^consul$', 'v42')
  await agent.put('event/fire/reload')
  const browser = await openBrowser(t)
  const open = (path: string) => openPage(t, browser, `${agent.httpUrl}/ui/${path}`)

  const pages = [
    { name: 'sessions', path: 'sessions', sign: 'without a renewal in 10m' },
    { name: 'session', path: `sessions/${session}`, sign: 'locks/reports' },
    {
      name: 'session-ended',
      path: 'sessions/99999999-2222-3333-4444-555555555555',
      sign: 'This session has ended',
    },
    { name: 'queries', path: 'queries', sign: 'without the tag canary' },
    { name: 'query', path: `queries/${queries.stable}`, sign: '10.9.0.1:8080' },
    {
      name: 'query-definition',
      path: `queries/${queries.stable}?tab=definition`,
      sign: '"!canary"',
    },
    { name: 'query-template', path: `queries/${queries.template}`, sign: 'A name that a client' },
    { name: 'events', path: 'events', sign: 'service ^consul$' },
  ] as const
  await t.test('each page is fit to be seen, in both themes and widths', async (t) => {
    const page = await open('sessions')
    for (const { name, path, sign } of pages) {
      await page.goto(`${agent.httpUrl}/ui/${path}`)
      for (const { theme, width, isJudged } of views) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
        await page.setViewportSize({ width, height: 900 })
        await page.getByText(sign).first().waitFor()
        await picture(page, `${name}-${theme}-${width}`)
        t.notOk(await scrollsSideways(page), `${name}: ${width} px do not scroll sideways`)
        if (isJudged) t.strictSame(await violations(page), [], `${name}: ${theme}, ${width} px`)
      }
    }
  })

  await t.test('what deletes or destroys is at the right of the title', async (t) => {
    const page = await open('sessions')
    for (const [path, name] of [
      [`sessions/${session}`, 'Destroy…'],
      [`queries/${queries.stable}`, 'Delete…'],
    ] as const) {
      await page.goto(`${agent.httpUrl}/ui/${path}`)
      const button = await boxOf(page.getByRole('button', { name }))
      const title = await boxOf(page.getByRole('heading', { level: 1 }))
      t.ok(button.top < title.bottom && button.bottom > title.top, `${name}: on its line`)
      t.equal(button.right, (await boxOf(page.locator('.page-head .verdict'))).right, name)
    }
  })

  await t.test(
    'a session appears, is destroyed after a question, and its lock is free',
    async (t) => {
      const page = await open('sessions')
      await rowOf(page, 'nightly reports').waitFor()
      const id = await createSession(agent, { Name: 'new here', TTL: '10m' })
      await putKey(agent, 'locks/new', 'x', `acquire=${id}`)
      await rowOf(page, 'new here').getByRole('link', { name: 'new here' }).click()
      await page.getByRole('link', { name: 'locks/new' }).waitFor()
      await press(page, 'Destroy…')
      await page.getByText('No session can lock them for 15 s').waitFor()
      await picture(page, 'session-destroy')
      t.strictSame(await violations(page), [])
      await press(page, 'Destroy')
      await page.getByText('This session has ended').waitFor()
      const [key] = await agent.get<readonly { readonly Session?: string }[]>('kv/locks/new')
      t.equal(key?.Session, undefined)
    },
  )

  await t.test('a query shows what it chooses now, and a template what a name gives', async (t) => {
    const page = await open('queries')
    await rowOf(page, 'stable-web').getByRole('link', { name: 'stable-web' }).click()
    await rowOf(page, 'web-1').waitFor()
    t.equal(await rowOf(page, 'web-3').count(), 0, 'the canary is left out')
    await page.goto(`${agent.httpUrl}/ui/queries/${queries.template}`)
    await page.getByLabel('A name that a client asks for').fill('pick-postgres-replica')
    await rowOf(page, 'postgres-2').waitFor()
    t.equal(await rowOf(page, 'postgres-1').count(), 0)
    await page.getByText('"Service": "postgres"').waitFor()
    await picture(page, 'query-template-named')
    await page.goto(`${agent.httpUrl}/ui/queries/${queries.spare}`)
    await press(page, 'Delete…')
    await page.getByText('spare.query.consul get NXDOMAIN').waitFor()
    await press(page, 'Delete')
    await page.getByRole('heading', { name: 'Prepared queries' }).waitFor()
    await rowOf(page, 'stable-web').waitFor()
    t.equal(await rowOf(page, 'spare').count(), 0)
  })

  await t.test('events arrive while one looks, and one can be fired', async (t) => {
    const page = await open('events')
    await rowOf(page, 'deploy').waitFor()
    await agent.put('event/fire/from-elsewhere')
    await rowOf(page, 'from-elsewhere').waitFor()
    await page.getByLabel('Name', { exact: true }).fill('<b>drain</b>')
    await page.getByLabel('Payload').fill('at noon\nplease')
    await page.getByText('Only for some agents').click()
    await page.getByLabel('Nodes whose name matches').fill('n1[')
    await press(page, 'Fire')
    await page.getByText('Invalid node filter').waitFor()
    t.equal(await page.getByLabel('Payload').inputValue(), 'at noon\nplease', 'nothing is lost')
    await page.getByLabel('Nodes whose name matches').fill('^n1$')
    await press(page, 'Fire')
    await rowOf(page, '<b>drain</b>').getByText('nodes ^n1$').waitFor()
    t.equal(await page.getByLabel('Name', { exact: true }).inputValue(), '')
    const events = await agent.get<readonly { Name: string; Payload: string }[]>('event/list')
    const last = events.at(-1)
    t.equal(last?.Name, '<b>drain</b>')
    t.equal(Buffer.from(last?.Payload ?? '', 'base64').toString(), 'at noon\nplease')
  })
})

t.test('without any, each page says how to begin', needs, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  const browser = await openBrowser(t)
  const page = await openPage(t, browser, `${agent.httpUrl}/ui/`)
  for (const [name, sign] of [
    ['sessions', 'There are no sessions'],
    ['queries', 'There are no prepared queries'],
    ['events', 'No event was fired yet'],
  ] as const) {
    await page.goto(`${agent.httpUrl}/ui/${name}`)
    for (const { theme, width, isJudged } of views) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      await page.getByText(sign).first().waitFor()
      await picture(page, `${name}-empty-${theme}-${width}`)
      if (isJudged) t.strictSame(await violations(page), [], `${name}: ${theme}, ${width} px`)
    }
  }
})
