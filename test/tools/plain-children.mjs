// The test runner has every process of node that a test starts load code of its own, to find out which files it
// covers. That costs a starting agent more CPU than its own start, and 20 MB. This takes it back: what a test
// starts runs as it does at a user's.
import { createRequire } from 'node:module'

const onSpawn = createRequire(import.meta.resolve('@tapjs/processinfo'))('process-on-spawn')
const ofRunner = /"?--import=\S*@tapjs\S*|--no-warnings|--experimental-strip-types/g

onSpawn.removeAllListeners()
onSpawn.addListener((started) => {
  const { NODE_OPTIONS = '', ...env } = started.env
  const options = NODE_OPTIONS.replaceAll(ofRunner, '').trim()
  started.env = options === '' ? env : { ...env, NODE_OPTIONS: options }
})
