import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { packageFile, threadFile } from '../../src/base/package-files.ts'

// The threads of the program run from dist/, but never from a dist/ that is older than the sources.

type BuiltThread = (file: URL, isBuilt?: () => boolean) => URL | undefined
const tool = new URL('built-threads.mjs', import.meta.url).href
const { builtThread } = (await import(tool)) as { readonly builtThread: BuiltThread }

const snapshotThread = threadFile('storage/snapshot/thread')

t.test('a thread of the program runs from its bundle, if the build is current', async (t) => {
  const bundle = packageFile('dist/storage-snapshot-thread.js').href
  t.equal(builtThread(snapshotThread, () => true)?.href, bundle)
  t.equal(
    builtThread(snapshotThread, () => false),
    undefined,
  )
})

t.test('no other file does', async (t) => {
  for (const path of ['src/base/assert.ts', 'test/storage/snapshot/thread.ts']) {
    t.equal(
      builtThread(packageFile(path), () => true),
      undefined,
      path,
    )
  }
})

t.test('what a test starts is that bundle', async (t) => {
  const current = builtThread(snapshotThread)
  const worker = new Worker(snapshotThread, { workerData: undefined })
  const [error] = (await once(worker, 'error')) as [Error]
  const place = current === undefined ? '/src/storage/snapshot/' : '/dist/'
  t.match(error.stack, place, 'without its data it fails, and says where')
})
