import t from 'tap'
import { namesIn } from '../../src/process/machine-names.ts'

t.test(
  'the names of a machine are its host name and those beside it in the hosts file',
  async (t) => {
    const file = [
      '127.0.0.1 localhost ads.example',
      '127.0.1.1\tdb1.corp.example db1 # this one',
      '10.0.0.9 db2.corp.example db2',
      '#127.0.1.1 old db1',
    ].join('\n')
    t.strictSame(namesIn(file, 'db1'), ['db1', 'db1.corp.example'])
    t.strictSame(namesIn('', 'db3.corp.example'), ['db3.corp.example', 'db3'])
  },
)
