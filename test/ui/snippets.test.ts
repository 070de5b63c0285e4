import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Snippet } from '../../src/ui/core/snippets.ts'
import { placeIn, snippets } from '../../src/ui/core/snippets.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

// The programs of the tab "Use it" are run as a reader would run them.

const run = promisify(execFile)

const programs: Readonly<
  Record<string, readonly [file: string, command: string, ...words: string[]]>
> = {
  shell: ['find.sh', 'sh'],
  go: ['find.go', 'go', 'run'],
  python: ['find.py', '/usr/bin/python3'],
  java: ['Find.java', 'java'],
  node: ['find.mjs', 'node'],
}

function lacks(id: string): string | false {
  if (id === 'python') return missing('python3')
  return missing(id === 'shell' ? 'dig' : id)
}

t.test('each program finds the instances of a service', { timeout: 120_000 }, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
  t.teardown(() => agent.stop())
  for (const [id, address, port] of [
    ['web-1', '10.9.0.1', 8080],
    ['web-2', '10.9.0.2', 8081],
  ] as const) {
    await agent.put('agent/service/register', { Name: 'web', ID: id, Address: address, Port: port })
  }
  const answer = await fetch(`${agent.httpUrl}/v1/dns/service/web?type=SRV`)
  const { Command } = (await answer.json()) as { readonly Command: string }
  const place = placeIn(Command)
  if (place === undefined) throw new Error(`no place in ${Command}`)
  t.match(place, { host: '127.0.0.1', port: agent.dnsPort, name: 'web.service.consul' })
  for (const snippet of snippets(place)) {
    await t.test(snippet.title, { skip: lacks(snippet.id) }, async (t) => {
      const lines = await outputOf(snippet, t.testdir())
      t.strictSame(lines, ['10.9.0.1 8080', '10.9.0.2 8081'])
    })
  }
})

async function outputOf({ id, text }: Snippet, directory: string): Promise<readonly string[]> {
  const [file, command, ...words] = programs[id] ?? ['', '']
  const path = join(directory, file)
  writeFileSync(path, `${text}\n`)
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOCACHE: join(directory, 'cache') }
  const { stdout } = await run(command, [...words, path], { cwd: directory, env })
  return stdout.trim().split('\n').toSorted()
}

t.test('names that programs would have to quote have no programs', async (t) => {
  t.strictSame(placeIn('dig @127.0.0.1 -p 8600 web.service.consul SRV'), {
    host: '127.0.0.1',
    port: 8600,
    name: 'web.service.consul',
  })
  t.equal(placeIn(`dig @127.0.0.1 -p 8600 'a b.service.consul' SRV`), undefined)
  t.equal(placeIn('dig @127.0.0.1 -p 8600 "$(reboot).service.consul" SRV'), undefined)
})
