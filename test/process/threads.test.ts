import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import { typescriptFlags } from '../helpers/typescript-flags.ts'

const threads = new URL('../../src/process/threads.ts', import.meta.url)

/** What a program prints that starts a thread and ends as soon as the thread runs, and its exit code. */
async function endBeside(t: Test, thread: string): Promise<[out: string, code: number | null]> {
  const directory = t.testdir({
    'thread.mjs': `import { parentPort } from 'node:worker_threads'\n${thread}`,
    'main.mjs': `
      import { endProcess, startThread } from ${JSON.stringify(threads.href)}
      startThread(new URL('thread.mjs', import.meta.url), {})
        .once('online', () => {
          endProcess(7)
          endProcess(8)
        })
        .on('message', (message) => console.log(message))
    `,
  })
  const args = [...typescriptFlags, join(directory, 'main.mjs')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return [out, code as number | null]
}

t.test('the process ends after a thread that is loading has loaded', async (t) => {
  const loading = `
    const endsAt = performance.now() + 200
    while (performance.now() < endsAt);
    parentPort.postMessage('loaded')
    setInterval(() => {}, 1000)
  `
  t.strictSame(await endBeside(t, loading), ['loaded\n', 7])
})

t.test('a thread that fails while it loads does not keep the process', async (t) => {
  t.strictSame(await endBeside(t, 'process.exit(1)'), ['', 7])
})

t.test('nor does one that never says that it has loaded', async (t) => {
  t.strictSame(await endBeside(t, 'setInterval(() => {}, 1000)'), ['', 7])
})
