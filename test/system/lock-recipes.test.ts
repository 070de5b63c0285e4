import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { svcdBin } from '../helpers/agent-process.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { blocksOf } from '../helpers/page-blocks.ts'

// The recipes of docs/locks.md, as they stand there, on the machines of three servers.

const page = readFileSync(new URL('../../docs/locks.md', import.meta.url), 'utf8')

/** The first block of a language below a heading of the page. */
function recipe(heading: string, wanted = 'sh'): string {
  const section = page.slice(page.indexOf(`## ${heading}`))
  return must(blocksOf(section).find(({ language }) => language === wanted)).text
}

class Machines {
  readonly directory: string
  readonly #urls: readonly string[]

  private constructor(directory: string, urls: readonly string[]) {
    this.directory = directory
    this.#urls = urls
  }

  /** `programs`: the scripts that the machines have, by name. */
  static async start(t: Test, programs: Readonly<Record<string, string>>): Promise<Machines> {
    const directory = t.testdir()
    const cluster = await ThreeServers.prepare(join(directory, 'servers'))
    mkdirSync(join(directory, 'servers'))
    t.teardown(() => cluster.stop())
    await cluster.startAll()
    const all = { svcd: `exec "${process.execPath}" "${svcdBin}" "$@"`, ...programs }
    mkdirSync(join(directory, 'bin'))
    for (const [name, script] of Object.entries(all)) {
      const file = join(directory, 'bin', name)
      writeFileSync(file, `#!/bin/sh\n${script}\n`)
      chmodSync(file, 0o755)
    }
    return new Machines(
      directory,
      cluster.servers.map(({ httpUrl }) => httpUrl),
    )
  }

  /** Runs a script on each machine at the same moment; gives what each printed. */
  onEach(script: string): Promise<readonly string[]> {
    return Promise.all(this.#urls.map((url) => this.#run(script, url)))
  }

  #run(script: string, url: string): Promise<string> {
    const path = `${join(this.directory, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`
    const env = { ...process.env, PATH: path, SVCD_HTTP_ADDR: url, SHELL: '/bin/sh' }
    const options = { env, cwd: this.directory, timeout: 60_000 }
    return new Promise((resolve) => {
      execFile('sh', ['-c', script], options, (_error, out, err) => resolve(out + err))
    })
  }
}

t.test('a cron job runs on one of several machines', async (t) => {
  const machines = await Machines.start(t, { backup: 'echo "backup $SVCD_LOCK_INDEX"' })
  const file = recipe('Recipe: a cron job on one of several machines', '')
  const [, line = ''] = /^30 2 \* \* \* root (svcd lock .*)$/m.exec(file) ?? []
  t.match(line, /^svcd lock .* cron\/backup 'backup; sleep 60'/)
  const short = line.replace('sleep 60', 'sleep 3')
  let last = 0
  for (const night of [1, 2]) {
    const printed = (await machines.onEach(short)).join('')
    const [, index = ''] = /^backup (\d+)\n$/.exec(printed) ?? []
    t.ok(Number(index) > last, `night ${night}: one backup, ${printed}`)
    last = Number(index)
  }
})

t.test('a semaphore lets three jobs of all machines run at the same time', async (t) => {
  // Each job leaves a line with how many there were when it began.
  const job = [
    'cd jobs; touch "running-$$"',
    'echo "$1 $(ls | grep -c ^running)" >> ../log',
    'sleep 0.3; rm "running-$$"',
  ].join('\n')
  const machines = await Machines.start(t, { 'convert-audio': job })
  for (const name of ['jobs', 'one.wav', 'two songs.wav']) mkdirSync(join(machines.directory, name))
  await machines.onEach(recipe('Recipe: a distributed semaphore'))
  const lines = readFileSync(join(machines.directory, 'log'), 'utf8').trim().split('\n')
  const names = lines.map((line) => line.slice(0, line.lastIndexOf(' '))).toSorted()
  const [one, two] = ['one.wav', 'two songs.wav']
  t.same(names, [one, one, one, two, two, two], 'each machine has converted each file')
  const running = lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
  t.ok(Math.max(...running) <= 3, `never more than three: ${running.join(', ')}`)
  t.ok(Math.max(...running) > 1, `and not one after the other: ${running.join(', ')}`)
})
