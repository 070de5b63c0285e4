#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nodeFault } from './node-check.js'

// dist/ is what `npm run build` makes of src/.
const main = new URL('../dist/cli-main.js', import.meta.url)

const fault = nodeFault() ?? buildFault()
if (fault !== undefined) {
  console.error(`svcd: ${fault}`)
  process.exit(2)
}
await import(main.href)

/** Why a clone cannot run yet. */
function buildFault() {
  if (existsSync(main)) return undefined
  const root = fileURLToPath(new URL('../', import.meta.url))
  return `This clone is not built yet. Run: cd ${root} && node bin/ensure.js`
}
