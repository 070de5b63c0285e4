import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import t, { type Test } from 'tap'
import { nodeAtHand } from '../helpers/node-versions.ts'
import { pack } from '../helpers/packed.ts'
import { until } from '../helpers/until.ts'

// Installs the tarball globally, as users do, from the npm registry: `npm run long` runs it. As root,
// everything is done by the user nobody.

const majors = (process.env['SVCD_INSTALLS'] ?? '').split(',').filter(Boolean).map(Number)
const nobody = 65_534
const isRoot = process.getuid?.() === 0
const user = isRoot ? { uid: nobody, gid: nobody } : {}

/** Settings of npm on this machine that another user does not have. */
function npmSettings(): NodeJS.ProcessEnv {
  const names = ['registry', 'cafile', 'nodedir']
  const pairs = names.map((name) => {
    const value = execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim()
    return [`npm_config_${name}`, value] as const
  })
  return Object.fromEntries(pairs.filter(([, value]) => !['null', 'undefined', ''].includes(value)))
}

/** Files and links below a directory, without directories. */
function filesBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !lstatSync(join(directory, path)).isDirectory())
    .toSorted()
}

interface Machine {
  readonly root: string
  readonly home: string
  readonly prefix: string
  /** Runs a command as the user, in the directory `/`. */
  readonly run: (program: string, ...args: readonly string[]) => string
  readonly env: NodeJS.ProcessEnv
}

/** A directory for a user who has this Node and nothing else. */
function machine(t: Test, node: string): Machine {
  // Below .tap the user could not get to it: the repository may be in a home directory.
  const root = mkdtempSync(join(tmpdir(), 'svcd-install-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  chmodSync(root, 0o755)
  const [bin, home, prefix] = [join(root, 'bin'), join(root, 'home'), join(root, 'prefix')]
  for (const path of [bin, home, prefix]) mkdirSync(path)
  copyFileSync(node, join(bin, 'node'))
  chmodSync(join(bin, 'node'), 0o755)
  if (isRoot) for (const path of [home, prefix]) chownSync(path, nobody, nobody)
  const env = {
    ...npmSettings(),
    HOME: home,
    PATH: [bin, join(prefix, 'bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    npm_config_prefix: prefix,
    npm_config_cache: join(home, 'cache'),
    npm_config_update_notifier: 'false',
  }
  const run = (program: string, ...args: readonly string[]): string => {
    const options = { ...user, env, cwd: '/', encoding: 'utf8', timeout: 600_000 } as const
    const { status, stdout, stderr } = spawnSync(program, args, options)
    if (status !== 0)
      throw new Error(`${program} ${args.join(' ')}: ${status}\n${stdout}${stderr}`.slice(0, 4000))
    return stdout
  }
  return { root, home, prefix, run, env }
}

/** Starts an agent, registers a service, finds it over DNS, and stops the agent. */
async function useIt(t: Test, { run, env, home }: Machine): Promise<void> {
  const args = ['agent', '-server', '-data-dir', join(home, 'data'), '-node', 'n1']
  const ports = ['-http-port=0', '-dns-port=0', '-server-port=0', '-bind=127.0.0.1']
  const child = spawn('svcd', [...args, ...ports], { ...user, env, cwd: '/' })
  const exited = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  await until('the agent runs', 30_000, () => output.includes('svcd agent running!')).catch(
    (error: unknown) => {
      throw new Error(output, { cause: error })
    },
  )
  const http = /HTTP: (http:\S+)/.exec(output)?.[1] ?? ''
  const dns = /DNS: (\S+)/.exec(output)?.[1] ?? ''
  t.match(run('svcd', 'register', 'web', '--port', '8080', '--http-addr', http), /Registered/)
  t.match(run('svcd', 'resolve', 'web', '--dns-addr', dns), /SRV +0 +1 1 8080/)
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
}

t.test('the tarball is installed only where that is asked for', async (t) => {
  if (majors.length === 0) t.comment('SVCD_INSTALLS=20,24 runs the installs')
  t.pass()
})

for (const major of majors) {
  const node = nodeAtHand(major)
  const skip = node === undefined && `needs Node ${major}: npm run on-node -- ${major}`
  t.test(
    `a global install on Node ${major} works, and leaves nothing behind`,
    { skip },
    async (t) => {
      const it = machine(t, node ?? '')
      const { root, run, prefix, home } = it
      const tarball = join(root, pack(root).filename)
      run('npm', 'install', '--global', tarball)
      const installed = join(prefix, 'lib/node_modules/svcd')
      const old = join(installed, 'dist/node_modules/better-sqlite3-node20')
      t.equal(existsSync(old), major === 20, 'better-sqlite3 12 is there on Node 20 only')
      t.equal(existsSync(join(installed, 'node_modules/better-sqlite3')), major !== 20)
      t.equal(existsSync(join(installed, 'node_modules/better-sqlite3/build')), false)
      const inHome = filesBelow(home).filter((path) => !path.startsWith('cache/'))

      execFileSync('chmod', ['-R', 'a-w', prefix])
      if (isRoot) execFileSync('chown', ['-R', '0:0', prefix])
      t.match(run('svcd', 'version'), new RegExp(`^svcd \\d[^]*Node ${major}\\.`))
      t.match(run('svcd', 'completion', 'bash'), /complete .*svcd/)
      t.match(filesBelow(join(prefix, 'share')), ['man/man1/svcd.1'], '`man svcd` finds it')
      await useIt(t, it)

      if (isRoot) execFileSync('chown', ['-R', `${nobody}:${nobody}`, prefix])
      execFileSync('chmod', ['-R', 'u+w', prefix])
      run('npm', 'uninstall', '--global', 'svcd')
      t.strictSame(filesBelow(prefix), [], 'nothing is left below the prefix')
      const isOurs = (path: string): boolean => !/^(cache|data)\//.test(path)
      t.strictSame(filesBelow(home).filter(isOurs), inHome, 'svcd wrote only to its data directory')
    },
  )
}
