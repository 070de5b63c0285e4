import t from 'tap'
import { SvcdError } from '../../src/base/errors.ts'
import { isObject } from '../../src/base/shape.ts'
import { envName } from '../../src/config/option-row.ts'
import { optionNames, optionRow } from '../../src/config/options.ts'
import { configPaths, parseConfig, type ConfigSources } from '../../src/config/parse.ts'

const server: ConfigSources = {
  flags: { server: ['true'], dataDir: ['/d'] },
  env: {},
  files: [],
  hostName: 'n1',
}

function withFlags(flags: ConfigSources['flags']): ConfigSources {
  return { ...server, flags: { ...server.flags, ...flags } }
}

function withFile(content: unknown): ConfigSources {
  return { ...server, files: [{ path: 'a.json', content }] }
}

function messageOf(sources: ConfigSources): string {
  try {
    parseConfig(sources)
  } catch (error) {
    if (error instanceof SvcdError) return error.message
    throw error
  }
  return 'no error'
}

const missing = Symbol('missing')

const defaults = {
  dev: false,
  configDirs: [],
  checks: {
    enableScripts: false,
    enableLocalScripts: false,
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
  },
  sample: false,
  server: true,
  bootstrapExpect: 1,
  dataDir: '/d',
  diskReserveMib: undefined,
  nodeName: 'n1',
  nodeId: undefined,
  nodeMeta: {},
  pidFile: undefined,
  datacenter: 'dc1',
  zonesDir: undefined,
  configFiles: [],
  bindAddress: '0.0.0.0',
  advertiseAddress: undefined,
  clientAddresses: ['127.0.0.1'],
  httpAddresses: ['127.0.0.1'],
  httpsAddresses: ['127.0.0.1'],
  dnsAddresses: ['127.0.0.1'],
  allowedHosts: [],
  retryJoin: [],
  encrypt: [],
  encryptVerify: true,
  memberTimeoutSeconds: 3,
  stateCheckSeconds: 600,
  peerTls: {
    certFile: undefined,
    keyFile: undefined,
    caFile: undefined,
    mode: 'strict',
    verifyServerRole: undefined,
  },
  https: { certFile: undefined, keyFile: undefined, caFile: undefined, verifyIncoming: false },
  dnsTls: { certFile: undefined, keyFile: undefined },
  ports: { dns: 8600, dnsTls: -1, dnsHttps: -1, http: 8500, https: -1, server: 8300 },
  domain: 'consul',
  altDomain: undefined,
  dns: {
    nodeTtlSeconds: 0,
    serviceTtlSeconds: {},
    onlyPassing: false,
    nodeMetaTxt: true,
    emptyAnswer: 'nxdomain',
    enableTruncate: true,
    udpSizeMax: 1232,
    udp: 'auto',
    threads: undefined,
    tcpMaxClients: 4096,
    tcpMaxClientsPerAddress: undefined,
    tcpIdleTimeoutSeconds: 10,
    tcpIoTimeoutSeconds: 5,
    soa: { refresh: 3600, retry: 600, expire: 86_400, minTtl: 0 },
  },
  limits: {
    httpMaxConns: 16_384,
    httpMaxConnsPerClient: undefined,
    httpHeaderTimeoutSeconds: 10,
    rpcMaxConnsPerClient: 100,
    rpcHandshakeTimeoutSeconds: 5,
  },
  logLevel: 'info',
  logJson: false,
}

t.test('a server without further options gets the defaults', async (t) => {
  const config = parseConfig(server)
  t.match(config, defaults)
  // An option that came since has the default of its row.
  for (const name of optionNames) {
    if (valueAt(defaults, name) === missing) {
      t.strictSame(valueAt(config, name), optionRow(name).default, name)
    }
  }
})

/** `limits.httpMaxConns` of a configuration. */
function valueAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, key) => (isObject(at) && key in at ? at[key] : missing), config)
}

t.test(
  'a server alone starts at once, one with others to find waits to be told how many',
  async (t) => {
    t.equal(parseConfig(server).bootstrapExpect, 1)
    const joining = parseConfig(withFlags({ retryJoin: ['10.0.0.1', '10.0.0.2:8302'] }))
    t.match(joining, { bootstrapExpect: 0, retryJoin: ['10.0.0.1', '10.0.0.2:8302'] })
    const three = withFlags({ retryJoin: ['a b c'], bootstrapExpect: ['3'] })
    t.match(parseConfig(three), { bootstrapExpect: 3, retryJoin: ['a', 'b', 'c'] })
    t.equal(parseConfig(withFlags({ memberTimeoutSeconds: ['5s'] })).memberTimeoutSeconds, 5)
  },
)

t.test('options of a cluster that cannot work together are refused', async (t) => {
  const pair = { 'https.certFile': ['c.pem'], 'https.keyFile': ['k.pem'] }
  const https = { ...pair, 'ports.https': ['8501'] }
  const dnsPair = { 'dnsTls.certFile': ['c.pem'], 'dnsTls.keyFile': ['k.pem'] }
  const files = { 'peerTls.certFile': ['c.pem'], 'peerTls.keyFile': ['k.pem'] }
  const cases: readonly (readonly [ConfigSources['flags'], RegExp])[] = [
    [{ bootstrapExpect: ['0'] }, /^Option -bootstrap-expect: with 0 the server joins an existing/],
    [{ bootstrapExpect: ['3'] }, /^Option -bootstrap-expect: the server must find 2 other servers/],
    [{ retryJoin: ['a'], bootstrapExpect: ['100'] }, /^Option -bootstrap-expect: /],
    [
      { 'ports.https': ['8501'] },
      /^Option -https-cert-file: HTTPS needs a certificate and its key/,
    ],
    [
      { 'ports.https': ['1'], 'https.certFile': ['c.pem'] },
      /^Option -https-key-file: HTTPS needs a certificate and its key/,
    ],
    [{ 'https.keyFile': ['k.pem'] }, /^Option -https-key-file: HTTPS is off; set -https-port/],
    [{ 'https.verifyIncoming': ['true'] }, /HTTPS is off; set -https-port/],
    [
      { ...https, 'https.verifyIncoming': ['true'] },
      /^Option -https-ca-file: the certificates of clients are verified/,
    ],
    [{ 'ports.dnsTls': ['853'] }, /^Option -dns-cert-file: DNS over TLS and HTTPS needs a cert/],
    [
      { 'ports.dnsHttps': ['443'], 'dnsTls.certFile': ['c.pem'] },
      /^Option -dns-key-file: DNS over TLS and HTTPS needs a certificate/,
    ],
    [{ 'dnsTls.certFile': ['c.pem'] }, /^Option -dns-cert-file: DNS over TLS and HTTPS is off/],
    [
      { ...dnsPair, 'ports.dnsTls': ['853'], 'ports.dns': ['-1'] },
      /^Option -dns-tls-port: DNS is off/,
    ],
    [
      { ...dnsPair, 'ports.dnsTls': ['853'], 'ports.dnsHttps': ['853'] },
      /^Option -dns-tls-port: port 853 is also the DNS-over-HTTPS port/,
    ],
    [{ ...https, 'ports.http': ['8501'] }, /^Option -http-port: port 8501 is also the HTTPS port/],
    [{ 'peerTls.mode': ['permissive'] }, /^Option -peer-tls-mode: there are no certificates/],
    [files, /^Option -peer-ca-file: set all of -peer-cert-file, -peer-key-file and -peer/],
  ]
  for (const [flags, message] of cases) t.match(messageOf(withFlags(flags)), message)
  const dev = { ...server, flags: { dev: ['true'], retryJoin: ['a'] } }
  t.match(messageOf(dev), /-dev runs a single server; use -server for a cluster/)
})

t.test(
  'a secret is keys of 16, 24 or 32 bytes, and what is wrong with one is said without it',
  async (t) => {
    const key = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64')
    const good = [[key(32)], [key(16)], [key(24), key(32)], [`${key(32)} ${key(16)}`]]
    for (const encrypt of good) {
      t.strictSame(
        parseConfig(withFlags({ encrypt })).encrypt,
        encrypt.flatMap((k) => k.split(' ')),
      )
    }
    const file = { path: 'c.json', content: { encrypt: key(32), encrypt_verify_incoming: false } }
    t.match(parseConfig({ ...server, files: [file] }), { encrypt: [key(32)], encryptVerify: false })
    const bad: readonly (readonly [readonly string[], RegExp])[] = [
      [
        [key(31)],
        /^Option -encrypt: the key has 31 bytes, not 16, 24 or 32; `svcd keygen` prints a/,
      ],
      [['pass-word'], /^Option -encrypt: the key is not valid base64/],
      [[key(32), 'pass-word'], /^Option -encrypt: key 2 is not valid base64/],
      [[''], /^Option -encrypt: the key is missing/],
      [
        Array.from({ length: 5 }, () => key(32)),
        /^Option -encrypt: there are 5 keys; the limit is 4/,
      ],
    ]
    for (const [encrypt, message] of bad) {
      const said = messageOf(withFlags({ encrypt }))
      t.match(said, message)
      t.notMatch(said, /pass-word|BwcH/)
    }
    const odd = { path: 'c.json', content: { encrypt: ['pass-word', 7] } }
    t.match(
      messageOf({ ...server, files: [odd] }),
      /^Option encrypt in c.json: the value is not a string/,
    )
    t.notMatch(messageOf({ ...server, files: [odd] }), /pass-word/)
    t.match(
      messageOf(withFlags({ encryptVerify: ['false'] })),
      /there is no cluster secret to verify/,
    )
  },
)

t.test('-dev is a server on the loopback address without a data directory', async (t) => {
  const config = parseConfig({ ...server, flags: { dev: ['true'] } })
  t.match(config, { server: true, bindAddress: '127.0.0.1', dataDir: undefined })
})

t.test(
  'a flag beats the environment, which beats a later file, which beats an earlier',
  async (t) => {
    const files = [
      {
        path: 'a.json',
        content: { datacenter: 'file-a', domain: 'a', node_name: 'a', log_level: 'WARN' },
      },
      {
        path: 'b.json',
        content: { datacenter: 'file-b', domain: 'b', node_name: 'b', alt_domain: 'B.test.' },
      },
    ]
    const env = { SVCD_DATACENTER: 'env', SVCD_DOMAIN: 'env.' }
    const config = parseConfig({ ...withFlags({ datacenter: ['flag'] }), env, files })
    t.match(config, {
      datacenter: 'flag',
      domain: 'env',
      altDomain: 'b.test',
      nodeName: 'b',
      logLevel: 'warn',
    })
  },
)

t.test("a file has Consul's keys", async (t) => {
  const config = parseConfig({
    ...server,
    flags: {},
    files: [
      {
        path: 'a.json',
        content: {
          server: true,
          data_dir: '/data',
          bind_addr: '10.0.0.1',
          client_addr: '127.0.0.1 ::1',
          ports: { dns: 53, http: -1, server: 0 },
          log_json: true,
          bootstrap_expect: 1,
          dns_config: {
            node_ttl: '1m',
            service_ttl: { '*': '5s', Web: '10s' },
            only_passing: true,
            enable_truncate: false,
            soa: { refresh: 1, retry: 2, expire: 3, min_ttl: 4 },
          },
        },
      },
      { path: 'b.json', content: { dns_config: { service_ttl: { '*': '6s' } } } },
    ],
  })
  t.match(config, {
    dataDir: '/data',
    bindAddress: '10.0.0.1',
    clientAddresses: ['127.0.0.1', '::1'],
    ports: { dns: 53, http: -1, server: 0 },
    logJson: true,
    dns: {
      nodeTtlSeconds: 60,
      serviceTtlSeconds: { '*': 6, web: 10 },
      onlyPassing: true,
      enableTruncate: false,
      soa: { refresh: 1, retry: 2, expire: 3, minTtl: 4 },
    },
  })
})

t.test('an address that another of -client stands for is not opened twice', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['127.0.0.1 ::1', '127.0.0.1 ::1'],
    ['127.0.0.1 127.0.0.1', '127.0.0.1'],
    ['::1 127.0.0.1 0:0:0:0:0:0:0:1', '::1 127.0.0.1'],
    ['0.0.0.0 ::', '::'],
    [':: 0.0.0.0', '::'],
    ['0.0.0.0 0.0.0.0', '0.0.0.0'],
    ['127.0.0.1 0.0.0.0 ::1', '0.0.0.0 ::1'],
    ['::1 :: 10.0.0.1', '::'],
  ]
  for (const [given, opened] of cases) {
    const { clientAddresses } = parseConfig(withFlags({ clientAddresses: [given] }))
    t.equal(clientAddresses.join(' '), opened, `-client '${given}'`)
  }
})

t.test('every option refused names itself, where it was set, and what to do', async (t) => {
  const cases: readonly (readonly [ConfigSources, RegExp])[] = [
    [
      withFlags({ 'ports.dns': ['65536'] }),
      /^Option -dns-port: 65536 is not a whole.* -1 to 65535/,
    ],
    [withFlags({ 'ports.dns': ['-2'] }), /^Option -dns-port: /],
    [withFlags({ 'ports.server': ['-1'] }), /^Option -server-port: /],
    [withFlags({ 'ports.dns': ['8500'] }), /^Option -dns-port: port 8500 is also the HTTP port/],
    [withFlags({ 'ports.http': ['http'] }), /^Option -http-port: "http" is not a whole number/],
    [withFlags({ datacenter: ['dc.1'] }), /^Option -datacenter: "dc\.1" is not a datacenter name/],
    [withFlags({ datacenter: ['a'.repeat(64)] }), /^Option -datacenter: /],
    [withFlags({ nodeName: ['a b'] }), /^Option -node: "a b" is not a DNS name/],
    [withFlags({ nodeName: ['a..b'] }), /^Option -node: /],
    [
      withFlags({ nodeName: [`${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(61)] }),
      /^Option -node: .*DNS allows 253/,
    ],
    [withFlags({ nodeId: ['1'] }), /^Option -node-id: "1" is not a UUID/],
    [withFlags({ domain: ['.'] }), /^Option -domain: /],
    [withFlags({ altDomain: ['Consul.'] }), /^Option -alt-domain: consul is already the domain/],
    [withFlags({ altDomain: [`${'a.'.repeat(122)}a`] }), /^Option -node: .* DNS allows 253/],
    [
      withFlags({ bindAddress: ['localhost'] }),
      /^Option -bind: "localhost" is not an IPv4 or IPv6/,
    ],
    [
      withFlags({ advertiseAddress: ['0.0.0.0'] }),
      /^Option -advertise: "0.0.0.0" is not an address that other/,
    ],
    [withFlags({ clientAddresses: ['127.0.0.1 nope'] }), /^Option -client: "nope" is not/],
    [withFlags({ clientAddresses: [' '] }), /^Option -client: give at least one/],
    [
      withFlags({ clientAddresses: ['::1 fe80::1'] }),
      /^Option -client: "fe80::1" is a link-local address.*; give another/,
    ],
    [
      withFlags({ clientAddresses: ['::ffff:127.0.0.1'] }),
      /^Option -client: "::ffff:127.0.0.1" is an IPv4 address .*; write 127.0.0.1/,
    ],
    [
      withFlags({ logLevel: ['loud'] }),
      /^Option -log-level: "loud" is not one of debug, info, warn, error/,
    ],
    [withFlags({ server: ['maybe'] }), /^Option -server: "maybe" is not true or false/],
    [
      withFlags({ 'dns.nodeTtlSeconds': ['10'] }),
      /^Option -dns-node-ttl: "10" is not a duration.*"30s"/,
    ],
    [
      withFlags({ 'dns.nodeTtlSeconds': ['500ms'] }),
      /^Option -dns-node-ttl: .*whole number of seconds/,
    ],
    [
      withFlags({ 'dns.serviceTtlSeconds': ['web'] }),
      /^Option -dns-service-ttl: "web" is not NAME=DURATION/,
    ],
    [
      withFlags({ 'dns.serviceTtlSeconds': ['web=x'] }),
      /^Option -dns-service-ttl: for "web": "x" is not/,
    ],
    [
      withFlags({ server: ['false'] }),
      /^Option -server: svcd does not support client agents yet\. Start a server with/,
    ],
    [withFlags({ dataDir: [''] }), /^Option -data-dir: must not be empty/],
    [
      { ...server, flags: { server: ['true'] } },
      /^Option -data-dir: a server needs a data directory/,
    ],
    [
      { ...server, flags: { dev: ['true'], dataDir: ['/d'] } },
      /^Option -data-dir: -dev keeps its data/,
    ],
    [
      { ...server, flags: { dev: ['true'], server: ['false'] } },
      /^Option -server: -dev always runs a server/,
    ],
    [
      { ...server, hostName: 'a b' },
      /^Option -node: the host name of this machine .*"a b" is not.*Set another name with -node/,
    ],
    [
      { ...server, env: { SVCD_DNS_PORT: 'x' } },
      /^Option SVCD_DNS_PORT: "x" is not a whole number/,
    ],
    [withFile([]), /^Config file a\.json: the file must contain one JSON object/],
    [
      withFile({ datacentre: 'x' }),
      /^Option datacentre in a\.json: unknown option\. Did you mean "datacenter"\?/,
    ],
    [
      withFile({ ports: { dsn: 1 } }),
      /^Option ports\.dsn in a\.json: unknown option\. Did you mean "ports\.dns"\?/,
    ],
    [withFile({ dev: true }), /^Option dev in a\.json: unknown option/],
    [withFile({ ports: 1 }), /^Option ports in a\.json: the value must be an object/],
    [
      withFile({ ports: { dns: '53' } }),
      /^Option ports\.dns in a\.json: "53" is not a whole number/,
    ],
    [withFile({ log_json: 'true' }), /^Option log_json in a\.json: "true" is not true or false/],
    [withFile({ node_name: 1 }), /^Option node_name in a\.json: 1 is not a string/],
    [
      withFile({ client_addr: [1] }),
      /^Option client_addr in a\.json: \[1\] is not a string or a list/,
    ],
    [
      withFile({ dns_config: { node_ttl: 10 } }),
      /^Option dns_config\.node_ttl in a\.json: 10 is not a duration/,
    ],
    [
      withFile({ dns_config: { allow_stale: false } }),
      /answers DNS from its own copy of the catalog\. Remove it, or write true$/,
    ],
    [withFile({ dns_config: { service_ttl: '5s' } }), /is not an object of durations, such as/],
  ]
  for (const [sources, message] of cases) t.match(messageOf(sources), message)
})

t.test('flags are read as Go reads them', async (t) => {
  t.equal(parseConfig(withFlags({ logJson: ['1'] })).logJson, true)
  t.equal(parseConfig(withFlags({ logLevel: ['ERR'] })).logLevel, 'error')
  t.equal(parseConfig(withFlags({ logLevel: ['debug', 'warn'] })).logLevel, 'warn')
  const ttl = parseConfig(withFlags({ 'dns.serviceTtlSeconds': ['Web=10s,*=1m', 'api=0'] }))
  t.strictSame(ttl.dns.serviceTtlSeconds, { web: 10, '*': 60, api: 0 })
})

t.test('an empty variable is not set, and a service link of Kubernetes is not ours', async (t) => {
  const env = { SVCD_DNS_PORT: 'tcp://10.0.0.1:53', SVCD_HTTP_PORT: '', SVCD_SERVER_PORT: '8301' }
  t.strictSame(parseConfig({ ...server, env }).ports, {
    dns: 8600,
    dnsTls: -1,
    dnsHttps: -1,
    http: 8500,
    https: -1,
    server: 8301,
  })
})

t.test(
  'the config files are known before the rest is parsed, their flag before the variable',
  async (t) => {
    const env = { SVCD_CONFIG_FILE: '/a.json  /b.json' }
    t.strictSame(configPaths({ flags: {}, env }, 'configFiles'), ['/a.json', '/b.json'])
    t.strictSame(configPaths({ flags: { configFiles: ['/my file.json'] }, env }, 'configFiles'), [
      '/my file.json',
    ])
    const config = parseConfig(withFlags({ configFiles: ['/my file.json'] }))
    t.strictSame(config.configFiles, ['/my file.json'])
  },
)

t.test('a configuration cannot be changed', async (t) => {
  const config = parseConfig(server)
  t.throws(() => Object.assign(config.dns.soa, { retry: 1 }), TypeError)
  t.throws(() => Object.assign(config, { dev: true }), TypeError)
})

t.test('no two options share a flag, a variable or a file key', async (t) => {
  const rows = optionNames.map(optionRow)
  const unique = (texts: readonly (string | undefined)[]): boolean => {
    const given = texts.filter((text) => text !== undefined)
    return new Set(given).size === given.length
  }
  t.ok(unique(rows.map((row) => row.flag)))
  t.ok(unique(rows.map(envName)))
  t.ok(unique(rows.map((row) => row.file)))
})
