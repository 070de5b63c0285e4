// node --import ./test/tools/typescript.mjs FILE.ts
// Runs TypeScript as Node 22.18 and later do by themselves: types become spaces, so every line and column stays
// where it is. What was made of a file is kept in node_modules/.cache until the file changes.
import module from 'node:module'

const cache = new URL('../../node_modules/.cache/svcd-typescript/', import.meta.url)

if (process.features.typescript) module.enableCompileCache(cache.pathname)
else module.register('./typescript-hooks.mjs', import.meta.url, { data: cache.pathname })
