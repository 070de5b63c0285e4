import { writeFileSync } from 'node:fs'
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
    certificates: {
      reload: () => ({ taken: [], leftOut: ['Option -https-key-file: it is not the key'] }),
    },
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

t.test('a reload names the options that it has applied, each once', async (t) => {
  const file = (text: object) => ({ 'a.json': JSON.stringify(text) })
  const directory = t.testdir(file({}))
  const path = join(directory, 'a.json')
  const flags = {
    server: ['true'],
    dataDir: ['/d'],
    configFiles: [path],
    'peerTls.certFile': ['/c'],
    'peerTls.keyFile': ['/k'],
    'peerTls.caFile': ['/a'],
  }
  const sources = { flags, env: {}, files: [], hostName: 'n1' }
  const [given, pem] = [[] as string[], { taken: [] as string[], leftOut: [] as string[] }]
  const reload = reloading({
    config: parseConfig(sources),
    reread: (files) => readConfig({ ...sources, files }),
    agent: { load: async () => ({ taken: [], leftOut: [], heldBack: [] }) },
    setAcl: ({ defaultPolicy }) => void given.push(defaultPolicy),
    certificates: { reload: () => pem },
    setZone: async () => {},
    logger: silentLogger,
  })
  const takenFrom = async (text: object): Promise<readonly string[]> => {
    writeFileSync(path, JSON.stringify(text))
    return (await reload()).taken
  }
  const acl = { enabled: true, default_policy: 'deny', tokens: { dns: 'a-secret' } }
  t.strictSame(await takenFrom({ acl }), [
    'option acl.enabled: changed',
    'option acl.default_policy: changed',
    'option acl.tokens.dns: changed',
  ])
  t.strictSame(await takenFrom({ acl }), [])
  const peerTls = { peer_tls: { mode: 'permissive' } }
  pem.leftOut.push('Option -peer-cert-file: it is not a certificate')
  t.strictSame(await takenFrom({ acl, ...peerTls }), [], 'not with faulty certificates')
  pem.leftOut.length = 0
  pem.taken.push('certificates for HTTPS: changed')
  t.strictSame(await takenFrom(peerTls), [
    'option peer_tls.mode: changed',
    'option acl.enabled: changed',
    'option acl.default_policy: changed',
    'option acl.tokens.dns: changed',
    'certificates for HTTPS: changed',
  ])
  t.strictSame(given, ['deny', 'deny', 'deny', 'allow'])
})
