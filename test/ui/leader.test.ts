import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { noBrowser } from '../helpers/browser-file.ts'
import { openBrowser, openPage } from './browser.ts'
import { rowOf } from './rows.ts'

// The web UI of a follower while the leader dies, and then the follower itself.

t.test(
  'a page stays live while there is no leader, says since when it is stale without its agent, and continues with it',
  { skip: noBrowser, timeout: 180_000 },
  async (t) => {
    const servers = await ThreeServers.start(t)
    const leader = await servers.leader()
    const [follower, other] = await servers.followers()
    const register = (name: string): Promise<string> =>
      must(other).put('catalog/register', {
        Node: 'db',
        Address: '10.0.0.1',
        Service: { Service: name },
      })
    await register('before')
    const browser = await openBrowser(t)
    const page = await openPage(t, browser, `${must(follower).httpUrl}/ui/services`)
    await rowOf(page, 'before').waitFor()
    await page.evaluate(`
      window.states = []
      const state = document.querySelector('.connection')
      new MutationObserver(() => window.states.push(state.className))
        .observe(state, { attributes: true })
    `)
    await leader.kill()
    await servers.leader()
    await register('after')
    await rowOf(page, 'after').waitFor()
    t.strictSame(await page.evaluate('window.states'), [], 'the stream was never cut')

    // Without the old leader, two of three servers would be gone.
    await leader.start()
    await must(follower).kill()
    await page.getByText(/^stale since \d\d:\d\d:\d\d$/).waitFor()
    t.ok(await rowOf(page, 'after').isVisible(), 'what was known stays')
    await servers.leader()
    await register('meanwhile')
    await must(follower).start()
    await rowOf(page, 'meanwhile').waitFor()
    await page.getByText('live', { exact: true }).waitFor()
  },
)
