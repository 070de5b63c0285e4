import { join } from 'node:path'
import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/log.ts'
import { parseConfig, readConfig } from '../../src/config/parse.ts'
import { reloading } from '../../src/node/reloading.ts'

t.test('with a faulty zone file a reload still tells all else that came of it', async (t) => {
  const directory = t.testdir({ 'a.json': '{"log_level": "debug"}' })
  const flags = { server: ['true'], dataDir: ['/d'], configFiles: [join(directory, 'a.json')] }
  const sources = { flags, env: {}, files: [], hostName: 'n1' }
  const logged: string[] = []
  const note = (_fields: object, message: string): void => void logged.push(message)
  const reload = reloading({
    config: parseConfig(sources),
    reread: (files) => readConfig({ ...sources, files }),
    agent: { load: async () => ({ taken: ['web'], leftOut: [], heldBack: [] }) },
    setAcl: () => {},
    certificates: { reload: () => ['Option -https-key-file: it is not the key'] },
    setZone: async () => {
      throw svcdError('zone-invalid', { reason: 'example.zone:5: no address' })
    },
    logger: { ...silentLogger, warn: note, error: note },
  })
  t.match(await reload(), {
    taken: ['web'],
    leftOut: [/example\.zone:5: no address/, /-https-key-file/],
    restartNeeded: ['log_level'],
  })
  t.strictSame(logged, [
    'changed options take effect at the next start',
    'reloaded definition and zone files, but did not accept everything',
    'keeping the previous zone files',
  ])
})
