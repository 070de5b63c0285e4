import t from 'tap'
import { fixedDns } from '../helpers/fixed-dns.ts'
import { TestApi } from './support.ts'

t.test(
  'what DNS answers for a service is read over HTTP, with the command that asks it',
  async (t) => {
    const api = new TestApi(t, { dns: fixedDns })
    t.strictSame(await api.json('dns/service/web'), {
      Name: 'web.service.consul.',
      Type: 'A',
      Rcode: 'NOERROR',
      Flags: ['qr', 'aa'],
      Command: 'dig @127.0.0.1 -p 8600 web.service.consul. A',
      Answer: [{ Name: 'web.service.consul.', Type: 'A', TTL: 0, Data: '10.0.0.1' }],
      Authority: [],
      Additional: [],
    })
    t.match(await api.json('dns/service/web?type=srv'), { Type: 'SRV' })
    t.match(await api.get('dns/service/web?type=nonsense'), { status: 400 })
  },
)

t.test('a name that DNS cannot have is refused', async (t) => {
  const api = new TestApi(t, { dns: fixedDns })
  for (const name of ['a.b', 'a%00b', 'x'.repeat(64), 'a%5Cb']) {
    t.match(await api.get(`dns/service/${name}`), { status: 400 }, name)
  }
  t.match(await api.get('dns/service/'), { status: 400, body: /Missing service name/i })
})

t.test('a name is quoted so that a shell takes it as one word', async (t) => {
  const api = new TestApi(t, { dns: fixedDns })
  const { Command } = await api.json<{ Command: string }>(
    `dns/service/${encodeURIComponent("a'; rm -rf $HOME")}`,
  )
  t.equal(Command, `dig @127.0.0.1 -p 8600 'a'\\''; rm -rf $HOME.service.consul.' A`)
})

t.test('without DNS there is no answer', async (t) => {
  const api = new TestApi(t)
  t.match(await api.get('dns/service/web'), { status: 404, body: /DNS is off on this agent/ })
})
