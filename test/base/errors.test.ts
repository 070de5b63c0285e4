import { readdirSync } from 'node:fs'
import t from 'tap'
import { errorTable } from '../../src/base/errors.ts'
import type { ErrorRow } from '../../src/base/errors.ts'

t.test('each error has one row, in one file', async (t) => {
  const folder = new URL('../../src/base/errors/', import.meta.url)
  const codes: string[] = []
  for (const name of readdirSync(folder)) {
    const file = (await import(new URL(name, folder).href)) as Record<string, object>
    codes.push(...Object.values(file).flatMap((rows) => Object.keys(rows)))
  }
  t.ok(codes.length > 100, 'the rows were found')
  const twice = codes.filter((code, at) => codes.indexOf(code) !== at)
  t.strictSame(twice, [])
  t.strictSame(codes.toSorted(), Object.keys(errorTable).toSorted(), 'all files are in the table')
})

t.test('the status of an error is one of a failure', async (t) => {
  for (const [code, { http }] of Object.entries<ErrorRow>(errorTable)) {
    t.ok(http >= 400 && http < 600, code)
  }
})
