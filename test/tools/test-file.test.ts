import { existsSync } from 'node:fs'
import t from 'tap'

let directory = ''
let wasThere = false

t.test('a test', async (t) => {
  await t.test('in a test', async (t) => {
    directory = t.testdir()
    t.teardown(() => (wasThere = existsSync(directory)))
  })
  t.ok(wasThere, 'what it started is stopped before its directory is removed')
  t.notOk(existsSync(directory), 'which is removed then')
})
