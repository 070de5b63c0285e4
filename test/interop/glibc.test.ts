import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { AgentProcess, svcdBin } from '../helpers/agent-process.ts'
import { missing, notRoot } from '../helpers/tools.ts'

// The C library's own resolver, through a resolv.conf that names the agent on port 53.

const run = promisify(execFile)
const namespace = `svcd-test-${process.pid}`
const inside = ['ip', 'netns', 'exec', namespace]
const skip = missing('ip', 'getent') || notRoot()

async function exec(...words: readonly string[]): Promise<string> {
  const [command = '', ...args] = [...inside, ...words]
  return (await run(command, args)).stdout
}

t.test('getent finds a service through a resolv.conf that names the agent', { skip }, async (t) => {
  // `ip netns exec` shows the files of this directory as /etc inside the namespace.
  const etc = `/etc/netns/${namespace}`
  mkdirSync(etc, { recursive: true })
  writeFileSync(`${etc}/resolv.conf`, 'nameserver 127.0.0.1\nsearch service.dc1.consul\n')
  t.teardown(() => rmSync(etc, { recursive: true, force: true }))
  await run('ip', ['netns', 'add', namespace])
  t.teardown(() => run('ip', ['netns', 'delete', namespace]))
  await exec('ip', 'link', 'set', 'lo', 'up')
  const agent = await AgentProcess.start({
    wrapper: inside,
    args: ['-dev', '-http-port=8500', '-dns-port=53', '-log-level=warn'],
  })
  t.teardown(() => agent.stop())
  const node = process.execPath
  await exec(
    node,
    svcdBin,
    'register',
    'web',
    '--id',
    'web-1',
    '--address',
    '10.9.0.1',
    '--port',
    '80',
  )
  await exec(node, svcdBin, 'register', 'six', '--address', '2001:db8::6', '--port', '80')
  t.match(
    await exec('getent', 'hosts', 'web.service.dc1.consul'),
    /^10\.9\.0\.1\s+web\.service\.dc1\.consul/,
  )
  t.match(await exec('getent', 'ahosts', 'six.service.consul'), /^2001:db8::6\s/)
  t.match(await exec('getent', 'hosts', 'web'), /^10\.9\.0\.1\s/, 'by the search list')
  await t.rejects(exec('getent', 'hosts', 'none.service.consul'), { code: 2 })
})
