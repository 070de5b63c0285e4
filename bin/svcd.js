#!/usr/bin/env node
import { nodeFault } from './node-check.js'

const fault = nodeFault()
if (fault !== undefined) {
  console.error(`svcd: ${fault}`)
  process.exit(2)
}
// dist/ is what `npm run build` makes of src/.
await import('../dist/cli-main.js')
