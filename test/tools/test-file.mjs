// Loaded first into each test file, by the NODE_OPTIONS that package.json gives the test runner.
//
// The runner loads three modules of its own into the test file, each of its threads, and each process of node that
// it starts: a compiler, mocks of modules, and the record of the files that were used. Here they are empty. They
// cost a starting agent more CPU than its own start, and 20 MB. What a test starts runs as it does at a user's.
import module from 'node:module'
import { resolve } from './test-file-hooks.mjs'

if (module.registerHooks === undefined) module.register('./test-file-hooks.mjs', import.meta.url)
else module.registerHooks({ resolve })

delete process.env.NODE_OPTIONS
