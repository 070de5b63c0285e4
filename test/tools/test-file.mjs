// Loaded first into each test file, by the NODE_OPTIONS that package.json gives the test runner.
//
// The runner loads three modules of its own into the test file, each of its threads, and each process of node that
// it starts: a compiler, mocks of modules, and the record of the files that were used. Here they are empty. They
// cost a starting agent more CPU than its own start, and 20 MB. What a test starts runs as it does at a user's.
import module from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { runBuiltThreads } from './built-threads.mjs'
import { resolve } from './test-file-hooks.mjs'

// Before there are hooks: through them, the hundred modules of the runner take twice as long to load.
const tap = isMainThread ? await import('tap') : undefined

await import('./typescript.mjs')
if (module.registerHooks === undefined) module.register('./test-file-hooks.mjs', import.meta.url)
else module.registerHooks({ resolve })

delete process.env.NODE_OPTIONS

if (tap !== undefined) {
  runBuiltThreads()
  // Tap removes the directory of a test before it calls what was given to `teardown`, unless that was first. Here
  // it is: agents are stopped before their directory goes. Otherwise one that still writes makes the removal fail,
  // and then nobody stops it.
  const nothing = () => {}
  tap.default.teardown(nothing)
  tap.default.beforeEach((each) => each.teardown(nothing))
}
