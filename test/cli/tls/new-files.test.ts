import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { writeNew } from '../../../src/cli/tls/new-files.ts'

t.test('a key without its certificate is not left behind', (t) => {
  const directory = t.testdir()
  const paths = { key: join(directory, 'key.pem'), cert: join(directory, 'none', 'cert.pem') }
  t.throws(() => writeNew(paths, { key: 'a key', cert: 'a certificate' }), {
    code: 'file-unwritable',
    message: /cert\.pem: ENOENT/,
  })
  t.strictSame(readdirSync(directory), [])
  // A file is where its directory would be: there is nothing to remove, and the reason stays the same.
  const below = { key: join(directory, 'file', 'key.pem'), cert: join(directory, 'cert.pem') }
  writeFileSync(join(directory, 'file'), '')
  t.throws(() => writeNew(below, { key: 'a key', cert: 'a certificate' }), {
    code: 'file-unwritable',
    message: /key\.pem: ENOTDIR/,
  })
  t.strictSame(readdirSync(directory), ['file'])
  t.end()
})
