import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import t from 'tap'
import { typescriptFlags } from '../helpers/typescript-flags.ts'

// How the tests are run: types are removed, and what a test starts has nothing of the test runner.

function run(file: string): { readonly out: string; readonly err: string } {
  const { stdout, stderr } = spawnSync(process.execPath, [...typescriptFlags, file], {
    encoding: 'utf8',
  })
  return { out: stdout, err: stderr }
}

t.test('an error names the line and the column of the source', async (t) => {
  const file = join(t.testdir(), 'a.ts')
  const source = [
    'interface Gone {',
    '  readonly a: number',
    '}',
    'const one: Gone | undefined = undefined as Gone | undefined',
    'console.log((one as unknown as Gone).a)',
  ].join('\n')
  writeFileSync(file, source)
  for (const what of ['stripped', 'kept']) t.match(run(file).err, 'a.ts:5:38', what)
})

t.test('a changed file is never run as it was', async (t) => {
  const file = join(t.testdir(), 'a.ts')
  for (const word of ['one', 'two', 'one']) {
    writeFileSync(file, `const word: string = '${word}'\nconsole.log(word)\n`)
    t.equal(run(file).out, `${word}\n`)
  }
})

t.test('code that is more than a type is refused, and not left out', async (t) => {
  const file = join(t.testdir(), 'a.ts')
  writeFileSync(file, 'enum Colour { red }\nconsole.log(Colour.red)\n')
  const { out, err } = run(file)
  t.equal(out, '')
  t.match(err, /enum/)
})

t.test('a worker thread runs a source file as well', async (t) => {
  const file = join(t.testdir(), 'a.ts')
  writeFileSync(
    file,
    `import { parentPort, type MessagePort } from 'node:worker_threads'
     const port: MessagePort | null = parentPort
     port?.postMessage('it runs')`,
  )
  t.strictSame(await once(new Worker(file), 'message'), ['it runs'])
})

t.test('a process that a test starts has no code of the runner in it', async (t) => {
  const code = 'JSON.stringify([process.env.NODE_OPTIONS ?? "", process.execArgv])'
  const { stdout } = spawnSync(process.execPath, ['-p', code], { encoding: 'utf8' })
  const [options, flags] = JSON.parse(stdout) as [string, string[]]
  t.notMatch(options, '--import')
  t.strictSame(flags, ['-p', code])
})
