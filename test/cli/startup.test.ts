import { execFile } from 'node:child_process'
import { relative, sep } from 'node:path'
import t from 'tap'
import { TestApi } from '../api/support.ts'
import { svcdBin } from '../helpers/agent-process.ts'

// What a short command loads is most of what it takes, so this is held here and not its time.

interface Loaded {
  /** Node's own modules. */
  readonly modules: readonly string[]
  /** Files of packages that are loaded by `require`, as are all that must not be. */
  readonly files: readonly string[]
  /** Native code. */
  readonly objects: readonly string[]
  readonly out: string
}

/** Prints what is loaded when the process ends, as the last line of its errors. */
const hook = `data:text/javascript,${encodeURIComponent(`
  import { createRequire } from 'node:module'
  process.on('exit', () => {
    const { cache } = createRequire(${JSON.stringify(svcdBin)})
    const { sharedObjects } = process.report.getReport()
    const objects = sharedObjects.filter((path) => path.endsWith('.node'))
    const loaded = { modules: process.moduleLoadList, files: Object.keys(cache), objects }
    process.stderr.write('\\n' + JSON.stringify(loaded))
  })
`)}`

function loadedBy(env: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<Loaded> {
  const options = { env: { ...process.env, ...env }, timeout: 60_000 }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', hook, ...words], options, (error, out, err) => {
      if (error !== null) return reject(new Error(`${words.join(' ')}: ${err}`))
      const line = err.split('\n').at(-1) ?? ''
      return resolve({ ...(JSON.parse(line) as Omit<Loaded, 'out'>), out })
    })
  })
}

const ofFetch = /^NativeModule internal\/deps\/undici\//

t.test(
  'a command that asks an agent loads neither fetch nor what only an agent needs',
  async (t) => {
    const api = new TestApi(t)
    const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
    const lines = ['register web --port 80 --check-ttl 10m', 'services', 'services web', 'nodes']
    lines.push('checks', 'members', 'status', 'check pass web', 'maint -enable -service web')
    for (const line of [...lines, 'deregister web', '--help', 'version']) {
      const { modules, files, objects, out } = await loadedBy(env, svcdBin, ...line.split(' '))
      t.ok(out.length > 0, `${line} has something to say`)
      t.ok(modules.length > 50, 'the modules are known')
      t.strictSame(
        modules.filter(
          (name) => ofFetch.test(name) || /^NativeModule (?:tls|worker_threads)$/.test(name),
        ),
        [],
        line,
      )
      const packages = new Set(files.map((path) => packageOf(path)))
      t.strictSame([...packages], ['commander'], line)
      t.strictSame(objects, [], line)
    }
  },
)

t.test('fetch, packages and native code would be seen', async (t) => {
  const load = `fetch('data:,').catch(() => {}); require('fastify'); require('koffi')`
  const { modules, files, objects } = await loadedBy({}, '-e', load)
  t.ok(modules.some((name) => ofFetch.test(name)))
  t.ok(files.some((path) => packageOf(path) === 'fastify'))
  t.ok(objects.length > 0)
})

function packageOf(path: string): string {
  const parts = relative(svcdBin, path).split(sep)
  return parts[parts.lastIndexOf('node_modules') + 1] ?? ''
}
