import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs command lines against an agent's API on a socket. */
async function startApi(
  t: Test,
): Promise<{ api: TestApi; svcd: (...line: readonly string[]) => Promise<Ran> }> {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const svcd = async (...line: readonly string[]): Promise<Ran> => {
    let [out, err] = ['', '']
    const code = await run(line, {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      env,
      readText: async (path) => readFile(path, 'utf8'),
    })
    return { code, out, err }
  }
  return { api, svcd }
}

function idsOf(api: TestApi): readonly string[] {
  return [...api.backend.agent.services()].map(({ id }) => id).toSorted()
}

t.test('what is meant for a file is never taken for a name', async (t) => {
  const { api, svcd } = await startApi(t)
  const directory = t.testdir({
    'web.hcl': 'service {\n  name = "web"\n}\n',
    'conf.json': '# a comment\nservice "web" {\n}\n',
    'web.conf': '{"service": {"name": "conf", "port": 1}}',
  })
  const hcl =
    /^svcd: Config file \S+:1:1: HCL is not supported; write this file as JSON, .* ends in \.json\n$/
  const path = (name: string): string => join(directory, name)
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['services', 'register', path('web.hcl')], hcl],
    [['register', path('web.hcl')], hcl],
    [['register', '-f', path('web.hcl')], hcl],
    [['register', path('conf.json')], hcl],
    [['deregister', path('web.hcl')], hcl],
    [['register', 'web.hcl'], /^svcd: Config file web\.hcl: ENOENT/],
    [
      ['services', 'register', 'foo.service'],
      /^svcd: "foo\.service" is neither a \.json file nor a name that DNS can find\. .* use --name\./,
    ],
    [['register', path('web.conf')], /is neither a \.json file nor a name/],
  ]
  for (const [line, message] of refused) {
    const { code, out, err } = await svcd(...line)
    t.match(err, message, line.join(' '))
    t.strictSame([code, out], [1, ''])
  }
  t.strictSame(idsOf(api), [], 'nothing was registered')
  t.equal((await svcd('register', '-f', path('web.conf'))).out, 'Registered service: conf\n')
  t.match(await svcd('register', '--name', 'foo.service', '--port', '1'), {
    code: 0,
    out: 'Registered service: foo.service\n',
    err: 'svcd: warning: The service name "foo.service" has a dot, so DNS cannot find it: DNS reads the part before the dot as a tag. Use hyphens instead.\n',
  })
})

t.test('a file means the same to register, validate and an agent', async (t) => {
  const { api, svcd } = await startApi(t)
  const one = `{"service": {"name": "one", "port": 1, "tags": ["v1"], "enable_tag_override": true,
    "check": {"id": "x1", "ttl": "10s"},
    "checks": [{"id": "x2", "http": "http://127.0.0.1:1/", "interval": "1m30s", "tls_skip_verify": true}]}}`
  const directory = t.testdir({ 'one.json': one, 'bom.json': `\uFEFF${one}` })
  for (const name of ['one.json', 'bom.json']) {
    const file = join(directory, name)
    t.match(await svcd('validate', file), { code: 0, out: 'Configuration is valid!\n' })
    t.strictSame(await svcd('register', file), {
      code: 0,
      out: 'Registered service: one\n',
      err: '',
    })
    t.match(api.backend.agent.service('one'), { port: 1, tags: ['v1'], enableTagOverride: true })
    t.match(
      [...api.backend.agent.checks()],
      [
        { checkId: 'x1', type: 'ttl' },
        { checkId: 'x2', type: 'http', interval: '1m30s' },
      ],
    )
    t.strictSame(await svcd('deregister', file), {
      code: 0,
      out: 'Deregistered service: one\n',
      err: '',
    })
  }
})

t.test('a file is registered as a whole or not at all', async (t) => {
  const { api, svcd } = await startApi(t)
  const directory = t.testdir({
    'three.json': `{"services": [{"name": "a", "port": 1},
      {"name": "b", "port": 70000},
      {"name": "c", "prot": 1}]}`,
    'more.json': '{"services": [{"name": "d", "port": 1}, {"name": "e", "port": 1}]}',
    'empty.json': '',
    'checks.json': '{"service": {"name": "f", "port": 1}, "check": {"name": "n", "ttl": "10s"}}',
  })
  const path = (name: string): string => join(directory, name)
  t.strictSame(await svcd('register', path('three.json'), path('more.json')), {
    code: 1,
    out: '',
    err: `svcd: 2 definitions are invalid, and nothing was changed:
  ${path('three.json')}:2:29: Invalid Port: 70000 is not between 0 and 65535
  ${path('three.json')}:3:21: unknown field "prot"
`,
  })
  t.strictSame(idsOf(api), [])
  t.match(await svcd('register', path('checks.json')), {
    code: 0,
    err: /^svcd: warning: \S+checks\.json:1: the check "n" does not belong to a service and is ignored/,
  })
  t.match(await svcd('register', path('empty.json')), {
    code: 1,
    err: /empty\.json: the file contains no service with a name; write \{"service"/,
  })

  // What only the agent can refuse: the ones before it are taken back, what was there stays.
  const register = api.backend.agent.registerService.bind(api.backend.agent)
  api.backend.agent.registerService = async (definition, ...rest) => {
    if (definition.service.id === 'e') throw new Error('no more')
    return register(definition, ...rest)
  }
  const refused = await svcd('register', path('checks.json'), path('more.json'))
  t.match(refused, { code: 1, out: '' })
  t.match(
    refused.err,
    /^svcd: Service "e" was not registered: Internal error\. .* No new service of the files remains registered\. These services existed before and keep their new definition: f\.$/m,
  )
  t.strictSame(idsOf(api), ['f'])
  // What could not be removed is named, but not what the agent had refused.
  const deregister = api.backend.agent.deregisterService.bind(api.backend.agent)
  api.backend.agent.deregisterService = async () => Promise.reject(svcdError('no-leader', {}))
  api.backend.agent.registerService = async (definition, ...rest) => {
    if (definition.service.id === 'e') throw svcdError('invalid-field', { field: 'X', reason: 'y' })
    return register(definition, ...rest)
  }
  t.equal(
    (await svcd('register', path('more.json'))).err,
    'svcd: Service "e" was not registered: Invalid X: y. These services were added and could not be removed again: d.\n',
  )
  api.backend.agent.deregisterService = deregister
  await svcd('deregister', 'd')
  api.backend.agent.registerService = register
  api.errors.length = 0
  t.equal((await svcd('register', path('more.json'))).code, 0)
  t.strictSame(idsOf(api), ['d', 'e', 'f'])
})

t.test(
  'an agent that goes away while a file is registered may have the service that it did not answer for',
  async (t) => {
    const { api, svcd } = await startApi(t)
    const directory = t.testdir({
      'two.json': '{"services": [{"name": "d", "port": 1}, {"name": "e", "port": 1}]}',
    })
    const register = api.backend.agent.registerService.bind(api.backend.agent)
    api.backend.agent.registerService = async (definition, ...rest) => {
      if (definition.service.id === 'e') {
        api.app.server.close()
        api.app.server.closeAllConnections()
      }
      return register(definition, ...rest)
    }
    const { code, err } = await svcd('register', join(directory, 'two.json'))
    t.equal(code, 1)
    t.match(
      err,
      /^svcd: Service "e" was not registered: No agent answers at .* These services were added and could not be removed again: d\. The agent may have added "e": check with `svcd services`\.\n$/,
    )
  },
)

t.test('every service that is known is deregistered, and the others are named', async (t) => {
  const { api, svcd } = await startApi(t)
  const directory = t.testdir({
    // A definition that is faulty by now still names what it registered.
    'old.json': `{"services": [{"name": "gone"}, {"name": "a", "port": 70000},
      {"id": "b-1", "name": "b"}]}`,
    'broken.json': '{"services": [',
  })
  await svcd('register', 'a', '--port', '1')
  await svcd('register', 'b', '--id', 'b-1', '--port', '1')
  const { code, out, err } = await svcd('deregister', join(directory, 'old.json'))
  t.equal(out, 'Deregistered service: a\nDeregistered service: b-1\n')
  t.match(
    err,
    /^svcd: service: gone: .*Unknown service ID "gone".*\nsvcd: 1 of 3 were not removed\.\n$/,
  )
  t.equal(code, 1)
  t.strictSame(idsOf(api), [])
  t.match(await svcd('deregister', join(directory, 'broken.json')), {
    code: 1,
    err: /^svcd: Config file \S+broken\.json:1:15: expected a value/,
  })
})

t.test(
  'reload shows what changed, what was skipped and what was kept, and then fails',
  async (t) => {
    const { api, svcd } = await startApi(t)
    const nothing = { taken: [], leftOut: [], heldBack: [], restartNeeded: [] }
    t.strictSame(await svcd('reload'), {
      code: 0,
      out: `Configuration reload triggered
Nothing has changed. The agent reads the files that its -config-file, -config-dir and -zones name.
`,
      err: '',
    })
    api.backend.reloaded = {
      ...nothing,
      taken: ['service a: added by a.json'],
      restartNeeded: ['log_level'],
    }
    t.strictSame(await svcd('reload'), {
      code: 0,
      out: 'Configuration reload triggered\nservice a: added by a.json\n',
      err: 'svcd: log_level changed; restart the agent to apply it\n',
    })
    api.backend.reloaded = {
      ...nothing,
      leftOut: ['z.json:1:2: bad'],
      heldBack: ['service b: gone'],
    }
    t.strictSame(await svcd('reload'), {
      code: 1,
      out: 'Configuration reload triggered\n',
      err: `svcd: skipped: z.json:1:2: bad
svcd: kept: service b: gone
svcd: The agent did not accept everything: 1 skipped, 1 kept. Fix the files named above, then reload again.
`,
    })
    const json = await svcd('reload', '--json')
    t.equal(json.code, 1)
    t.match(JSON.parse(json.out), { reloaded: true, LeftOut: ['z.json:1:2: bad'] })
  },
)
