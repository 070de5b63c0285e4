import t from 'tap'
import { visible } from '../../src/base/invisible.ts'
import type { RegisterCommand } from '../../src/state/catalog/commands.ts'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'

async function svcd(
  line: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ out: string; err: string }> {
  let [out, err] = ['', '']
  await run(line, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    readText: async () => '',
  })
  return { out, err }
}

t.test('nothing in a catalog is obeyed by the terminal or hidden on it', async (t) => {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const odd = (name: string): string => `${name}\u009b31m\u202e\u200b`
  await api.backend.propose(oddRegistration(odd), { actor: 'test', cause: 'test' })
  const lines: readonly (readonly string[])[] = [
    ['services'],
    ['services', odd('svc')],
    ['nodes'],
    ['nodes', '-detailed'],
    ['checks'],
    ['catalog', 'services'],
    ['catalog', 'services', '-tags'],
    ['services', '-json'],
    ['checks', '-json'],
    ['nodes', '-json'],
    ['status'],
    ['status', '-o', 'yaml'],
    ['services', '-o', 'yaml'],
    ['services', '-o', 'name'],
    ['services', odd('svc'), '--wide'],
  ]
  for (const line of lines) {
    const { out, err } = await svcd(line, env)
    t.match(out, /\\u(?:\{202e\}|202e)/, `${visible(line.join(' '))} writes it out`)
    t.notMatch(out + err, /[^\P{Cc}\n]|[\u2028\u2029\u202e\u200b]/u, 'and prints nothing raw')
  }
  const { out, err } = await svcd(['services', odd('nope')], env)
  t.notMatch(out + err, /[^\P{Cc}\n]|[\u202e\u200b]/u, 'nor does an error')
  const json = JSON.parse((await svcd(['services', '-json'], env)).out) as object
  t.ok(Object.hasOwn(json, odd('svc')), 'JSON means the name as it is')
})

/** As an older release took it in. */
function oddRegistration(odd: (name: string) => string): RegisterCommand {
  return {
    kind: 'register',
    nodeName: odd('node'),
    node: {
      name: odd('node'),
      id: '',
      address: '10.0.0.9',
      taggedAddresses: {},
      meta: { note: odd('meta') },
    },
    service: {
      id: odd('svc'),
      name: odd('svc'),
      address: '',
      port: 1,
      tags: [odd('tag')],
      meta: {},
      weights: { passing: 1, warning: 1 },
      taggedAddresses: {},
      enableTagOverride: false,
      owner: 'catalog',
      extra: {},
    },
    checks: [
      {
        checkId: odd('check'),
        name: odd('name'),
        status: 'critical',
        notes: odd('notes'),
        output: odd('out'),
        serviceId: odd('svc'),
        type: '',
        interval: '',
        timeout: '',
        definition: {},
      },
    ],
    replaceChecks: false,
  }
}
