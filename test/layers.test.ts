import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { layerFaults, packagesLoadedBy, type LayerRules } from './helpers/layers.ts'

const none = { builtins: [] } as const

/** The modules as a table; docs/architecture.md gives the reasons. */
const rules: LayerRules = {
  rooms: {
    base: { imports: [], ...none },
    raft: { imports: ['base'], ...none },
    state: { imports: ['base'], builtins: ['crypto', 'util'] },
    dns: { imports: ['base'], ...none },
    health: { imports: ['base', 'state/catalog/model.ts'], ...none },
    access: { imports: ['base'], ...none },
    config: { imports: ['base'], ...none },
    pki: { imports: ['base'], builtins: ['crypto'] },
    filter: { imports: ['base'], ...none },
    'prepared-query': { imports: ['base', 'filter', 'health', 'state'], ...none },
    definition: { imports: ['base', 'state'], ...none },
    intention: {
      imports: ['base', 'access', 'http', 'state', 'definition', 'ports'],
      builtins: ['crypto'],
    },
    ports: { imports: ['base', 'access', 'state', 'definition'], ...none },
    audit: {
      imports: ['base', 'raft', 'state', 'ports', 'process/log-file.ts'],
      builtins: ['timers/promises'],
    },
    process: { imports: ['base', 'ports'], builtins: 'any' },
    storage: {
      imports: ['base', 'raft', 'state', 'process/threads.ts'],
      builtins: [
        'crypto',
        'events',
        'fs',
        'fs/promises',
        'module',
        'os',
        'path',
        'stream',
        'stream/promises',
        'worker_threads',
        'zlib',
      ],
    },
    recursor: { imports: ['base', 'dns'], ...none },
    transfer: { imports: ['base', 'dns'], builtins: ['crypto'] },
    net: { imports: ['base', 'dns', 'process'], builtins: 'any' },
    peers: {
      imports: [
        'base',
        'raft',
        'process',
        'net/connections/bind-error.ts',
        'net/connections/budget.ts',
        'net/connections/first-byte.ts',
        'net/connections/gate.ts',
        'net/connections/request-turns.ts',
        'net/connections/tls-slots.ts',
      ],
      builtins: 'any',
    },
    probes: { imports: ['base', 'health', 'process'], builtins: 'any' },
    client: { imports: ['base'], builtins: ['http', 'https', 'module', 'net', 'stream', 'zlib'] },
    http: {
      imports: ['base', 'access', 'state/catalog', 'filter', 'definition', 'ports'],
      builtins: ['crypto', 'http', 'net', 'zlib'],
    },
    api: {
      imports: [
        'base',
        'access',
        'http',
        'intention',
        'state',
        'health',
        'filter',
        'prepared-query',
        'definition',
        'ports',
        'net/connections/bind-error.ts',
        'net/connections/first-byte.ts',
        'net/connections/gate.ts',
        'net/connections/request-turns.ts',
        'net/connections/tls-slots.ts',
      ],
      builtins: ['crypto', 'http', 'https', 'module', 'net', 'stream'],
    },
    tokens: { imports: ['base', 'access', 'state', 'ports'], builtins: ['crypto'] },
    reads: { imports: ['base', 'state', 'ports', 'storage'], ...none },
    archive: {
      imports: ['base', 'state', 'ports', 'storage'],
      builtins: [
        'crypto',
        'fs',
        'fs/promises',
        'os',
        'path',
        'stream',
        'stream/promises',
        'util',
        'zlib',
      ],
    },
    replica: {
      imports: [
        'base',
        'audit',
        'raft',
        'state',
        'config',
        'storage',
        'net',
        'peers',
        'ports',
        'process',
      ],
      builtins: 'any',
    },
    agent: {
      imports: [
        'base',
        'state',
        'config',
        'definition',
        'health',
        'ports',
        'probes',
        'process',
        'storage',
      ],
      builtins: 'any',
    },
    resolver: {
      imports: [
        'base',
        'access',
        'state',
        'config',
        'dns',
        'recursor',
        'transfer',
        'health',
        'prepared-query',
        'net',
        'process',
        'replica',
        'storage',
      ],
      builtins: 'any',
    },
    observe: {
      imports: [
        'base',
        'audit',
        'state',
        'config',
        'health',
        'net',
        'ports',
        'process',
        'replica',
        'resolver',
      ],
      builtins: ['fs', 'os'],
    },
    // The web UI runs in a browser. It shares the judgement of instances with DNS and the API.
    ui: {
      imports: ['client/rows.ts', 'client/acl-rows.ts', 'client/text-flags.ts', 'health/judge.ts'],
      ...none,
    },
    node: {
      imports: [
        'base',
        'access',
        'agent',
        'api',
        'archive',
        'audit',
        'state',
        'config',
        'dns',
        'http',
        'net',
        'observe',
        'peers',
        'ports',
        'process',
        'reads',
        'replica',
        'resolver',
        'storage',
        'tokens',
        'transfer',
      ],
      builtins: 'any',
    },
    cli: {
      imports: [
        'base',
        'client',
        'config',
        'net/dns-client.ts',
        // The judgement that DNS and the API make of an instance; pure.
        'health/judge.ts',
        'node',
        'agent',
        'archive',
        'definition/definition-shapes.ts',
        'pki',
        'process',
        'replica/offline/quorum-lost.ts',
        'replica/offline/recover.ts',
      ],
      builtins: 'any',
    },
  },
  // The families of the state: each may use those below it.
  folders: {
    'state/machine': [],
    'state/acl': ['state/machine'],
    'state/autopilot': ['state/machine'],
    'state/intention': ['state/machine'],
    'state/dns-cookie': ['state/machine'],
    'state/catalog': ['state/machine'],
    'state/kv': ['state/machine'],
    'state/session': ['state/machine', 'state/catalog', 'state/kv'],
    'state/query': ['state/machine', 'state/catalog', 'state/kv', 'state/session'],
    'state/event': ['state/machine', 'state/catalog', 'state/kv', 'state/session'],
    'state/txn': [
      'state/machine',
      'state/catalog',
      'state/kv',
      'state/session',
      'state/query',
      'state/event',
    ],
  },
  doors: {
    'better-sqlite3': ['src/storage/sqlite-driver.ts'],
    'better-sqlite3-node20': ['src/storage/sqlite-driver.ts'],
    fastify: ['src/api/', 'src/http/', 'test/api/', 'test/http/'],
    consul: ['test/interop/'],
    '@fastify/swagger': ['src/http/openapi-document.ts'],
    '@seriousme/openapi-schema-validator': ['test/http/'],
    'prom-client': ['src/api/endpoints/observe/prometheus-text.ts'],
    pino: ['src/process/log.ts'],
    commander: ['src/cli/', 'test/cli/', 'test/helpers/command-facts.ts'],
    dns2: ['src/net/dns-client.ts', 'test/'],
    koffi: ['src/process/libc.ts'],
    preact: ['src/ui/'],
    '@preact/signals': ['src/ui/'],
    uplot: ['src/ui/parts/plot/'],
    'playwright-core': ['test/ui/'],
    'axe-core': ['test/ui/'],
    tap: ['test/'],
    'fast-check': ['test/'],
    typescript: ['test/helpers/layers.ts', 'test/prose/source-passages.ts'],
  },
  typeDoors: { 'better-sqlite3': ['src/state/', 'src/storage/', 'test/'] },
  linesMax: 500,
}

function readSources(): ReadonlyMap<string, string> {
  const root = new URL('../', import.meta.url)
  const paths = ['src', 'test'].flatMap((top) =>
    readdirSync(new URL(top, root), { recursive: true, encoding: 'utf8' })
      .map((path) => `${top}/${path.replaceAll('\\', '/')}`)
      .filter((path) => /\.tsx?$/.test(path)),
  )
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, root), 'utf8')]))
}

const sources = readSources()

t.test('every room imports only what its row allows', async (t) => {
  t.ok(sources.size > 20, 'the sources were found')
  t.strictSame(layerFaults(sources, rules), [])
})

t.test(
  'only src/process/threads.ts starts threads, so the end of the process waits for them',
  async (t) => {
    const starting = [...sources]
      .filter(([path, text]) => path.startsWith('src/') && text.includes('new Worker('))
      .map(([path]) => path)
    t.strictSame(starting, ['src/process/threads.ts'])
  },
)

t.test('no room holds more than 12 % of the lines', async (t) => {
  const lines = new Map<string, number>()
  let all = 0
  for (const [path, text] of sources) {
    if (!path.startsWith('src/')) continue
    const room = path.split('/')[1] ?? ''
    const count = text.split('\n').length - 1
    lines.set(room, (lines.get(room) ?? 0) + count)
    all += count
  }
  for (const [room, count] of lines) t.ok(count <= 0.12 * all, `${room}: ${count} of ${all}`)
})

t.test('commands that only ask an agent do not load what runs one', async (t) => {
  const names = ['run', 'register', 'deregister', 'services', 'nodes', 'resolve', 'version']
  for (const name of [
    ...names,
    'members',
    'leave',
    'raft-peers',
    'raft-recover',
    'snapshot',
    'watch',
    'checks',
    'maint',
    'info',
    'catalog',
    'completion',
    'debug',
    'monitor',
    'validate',
    'reload',
    'keygen',
    'status',
    'check',
    'heartbeat',
    'doctor',
    'kv/get',
    'kv/put',
    'kv/delete',
    'kv/export-import',
    'event/fire',
    'event/list',
  ]) {
    const path = `src/cli/${name}.ts`
    t.ok(sources.has(path), path)
    const packages = packagesLoadedBy(path, sources)
    packages.delete('commander')
    if (name === 'resolve' || name === 'doctor') packages.delete('dns2')
    t.strictSame([...packages], [], `${path} loads nothing else`)
  }
})

t.test('a planted violation is found', async (t) => {
  const cases: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
    [
      'a room that the row does not list',
      { 'src/dns/a.ts': `import { b } from '../raft/b.ts'`, 'src/raft/b.ts': '' },
      ['src/dns/a.ts may not import src/raft/b.ts: dns → raft'],
    ],
    [
      'a type of such a room',
      { 'src/dns/a.ts': `import type { B } from '../raft/b.ts'`, 'src/raft/b.ts': '' },
      ['src/dns/a.ts may not import src/raft/b.ts: dns → raft'],
    ],
    [
      'a dynamic import',
      { 'src/dns/a.ts': `await import('../raft/b.ts')`, 'src/raft/b.ts': '' },
      ['src/dns/a.ts may not import src/raft/b.ts: dns → raft'],
    ],
    [
      'another file of a room that is open for one file',
      { 'src/cli/a.ts': `import { b } from '../api/server.ts'`, 'src/api/server.ts': '' },
      ['src/cli/a.ts may not import src/api/server.ts: cli → api'],
    ],
    [
      'a family above',
      { 'src/state/kv/a.ts': `import { b } from '../session/b.ts'`, 'src/state/session/b.ts': '' },
      ['src/state/kv/a.ts may not import src/state/session/b.ts: state → state'],
    ],
    [
      'the list of families, from one of them',
      { 'src/state/kv/a.ts': `import { b } from '../families.ts'`, 'src/state/families.ts': '' },
      ['src/state/kv/a.ts may not import src/state/families.ts: state → state'],
    ],
    [
      'a built-in module in a pure room',
      { 'src/dns/a.ts': `import dgram from 'node:dgram'` },
      ['src/dns/a.ts may not import node:dgram'],
    ],
    [
      'a package through the wrong door',
      { 'src/net/a.ts': `import { pino } from 'pino'` },
      ['src/net/a.ts may not import pino; its door is src/process/log.ts'],
    ],
    [
      'a package that is required',
      { 'src/net/a.ts': `createRequire(import.meta.url)('koffi')\nrequire('pino')` },
      [
        'src/net/a.ts may not import koffi; its door is src/process/libc.ts',
        'src/net/a.ts may not import pino; its door is src/process/log.ts',
      ],
    ],
    [
      'a package without a door',
      { 'src/net/a.ts': `import x from '@left/pad/x'` },
      ['src/net/a.ts may not import @left/pad'],
    ],
    [
      'a value where only types are allowed',
      { 'src/state/a.ts': `import Database, { type Statement } from 'better-sqlite3'` },
      ['src/state/a.ts may not import better-sqlite3; its door is src/storage/sqlite-driver.ts'],
    ],
    [
      'a test from a source',
      { 'src/base/a.ts': `import { b } from '../../test/b.ts'`, 'test/b.ts': '' },
      ['src/base/a.ts may not import test/b.ts'],
    ],
    [
      'an import without the extension of the source',
      { 'src/base/a.ts': `import { b } from './b.js'`, 'src/base/b.ts': '' },
      ['src/base/a.ts imports ./b.js; name the .ts file'],
    ],
    [
      'a cycle',
      {
        'src/base/a.ts': `import './b.ts'`,
        'src/base/b.ts': `import './c.ts'`,
        'src/base/c.ts': `import './a.ts'`,
      },
      ['a cycle: src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts'],
    ],
    [
      'a barrel',
      { 'src/base/index.ts': '', 'src/base/a.ts': `export { b } from './b.ts'` },
      [
        'src/base/index.ts is a barrel; import the file that is meant',
        'src/base/a.ts exports from another file; import it where it is used',
      ],
    ],
    [
      'a room without a row',
      { 'src/extra/a.ts': '' },
      ['src/extra/a.ts is in a room without a row'],
    ],
    ['a file outside the rooms', { 'src/a.ts': '' }, ['src/a.ts is in a room without a row']],
    [
      'fs on a database',
      { 'src/storage/a.ts': `import { readFileSync } from 'node:fs'\nreadFileSync('raft.db')` },
      ['src/storage/a.ts names a *.db file and opens files; only SQLite may open those'],
    ],
    [
      'the server from the web UI',
      { 'src/ui/pages/a.tsx': `import { b } from '../../http/b.ts'`, 'src/http/b.ts': '' },
      ['src/ui/pages/a.tsx may not import src/http/b.ts: ui → http'],
    ],
    [
      'the web UI from the server',
      { 'src/http/a.ts': `import { b } from '../ui/b.tsx'`, 'src/ui/b.tsx': '' },
      ['src/http/a.ts may not import src/ui/b.tsx: http → ui'],
    ],
    [
      'a worker by its .ts name',
      { 'src/node/a.ts': `new Worker(new URL('./b.ts', import.meta.url))` },
      [
        'src/node/a.ts names a .ts file in new URL(); base/package-files.ts finds it in the build, too',
      ],
    ],
    [
      'a long file',
      { 'src/base/a.ts': '\n'.repeat(501) },
      ['src/base/a.ts has 501 lines; at most 500'],
    ],
  ]
  for (const [what, files, faults] of cases) {
    t.strictSame(layerFaults(new Map(Object.entries(files)), rules), faults, what)
  }
})

t.test('what the rules allow is not reported', async (t) => {
  const files = {
    'src/state/a.ts': `import type { Database } from 'better-sqlite3'\nimport { b } from '../base/b.ts'`,
    'src/base/b.ts': `// import { pino } from 'pino'\nexport const b = "import x from 'pino'"`,
    'src/state/session/e.ts': `import { f } from '../kv/f.ts'\nimport { a } from '../machine/g.ts'`,
    'src/state/kv/f.ts': '',
    'src/state/machine/g.ts': '',
    'src/cli/c.ts': `import { d } from '../client/client.ts'\nimport fs from 'node:fs'`,
    'src/client/client.ts': '',
    'src/node/f.ts': `import { mkdirSync, writeSync } from 'node:fs'\n// new URL('./x.ts')\nconst f = 'raft.db'`,
    'test/dns/e.test.ts': `import t from 'tap'\nimport '../../src/client/client.ts'`,
  }
  t.strictSame(layerFaults(new Map(Object.entries(files)), rules), [])
})
