import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))

t.test('a clone that is not built says what to run', async (t) => {
  const clone = t.testdir()
  for (const path of ['bin', 'package.json']) {
    cpSync(join(root, path), join(clone, path), { recursive: true })
  }
  const { status, stderr } = spawnSync(process.execPath, ['bin/svcd.js', 'version'], {
    cwd: clone,
    encoding: 'utf8',
  })
  t.equal(status, 2)
  t.equal(stderr, `svcd: This clone is not built yet. Run: cd ${clone}/ && node bin/ensure.js\n`)
})
