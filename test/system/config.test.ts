import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { AgentProcess, runSvcd, svcdBin } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// Configuration files as people bring them from Consul, read by the program itself.

/** A server's file with what Consul's tutorials put into it. */
function serverFile(root: string): Record<string, unknown> {
  return {
    datacenter: 'EU-West_1',
    primary_datacenter: 'eu-west_1',
    data_dir: join(root, 'data'),
    log_level: 'INFO',
    node_name: 'consul-server-1',
    node_meta: { rack: 'a1', 'rfc1035-note': 'blue' },
    server: true,
    bootstrap_expect: 1,
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    addresses: { dns: '127.0.0.1', http: '127.0.0.1' },
    advertise_addr: '127.0.0.1',
    ports: { grpc: -1, https: -1, serf_lan: 8301, serf_wan: -1 },
    encrypt: Buffer.alloc(32, 7).toString('base64'),
    encrypt_verify_incoming: true,
    encrypt_verify_outgoing: true,
    ui_config: { enabled: true },
    connect: { enabled: false },
    acl: { enabled: false, default_policy: 'allow', enable_token_persistence: false },
    performance: { raft_multiplier: 1 },
    autopilot: { cleanup_dead_servers: true, last_contact_threshold: '200ms' },
    telemetry: { prometheus_retention_time: '24h', disable_hostname: true },
    dns_config: { node_ttl: '5s', service_ttl: { '*': '5s' }, enable_truncate: true },
    leave_on_terminate: false,
    skip_leave_on_interrupt: true,
    rejoin_after_leave: true,
    disable_update_check: true,
    disable_remote_exec: true,
    enable_script_checks: false,
    enable_local_script_checks: true,
    enable_syslog: true,
    limits: { http_max_conns_per_client: 200 },
    pid_file: join(root, 'consul.pid'),
    raft_protocol: 3,
    retry_interval: '30s',
    verify_incoming: false,
    recursors: [],
    service: { name: 'web', port: 80, check: { id: 'x1', ttl: '60s', status: 'passing' } },
  }
}

t.test(
  'a server file of Consul starts svcd, and logs one line for each setting that is not used',
  async (t) => {
    const root = t.testdir({ conf: { 'empty.json': '' } })
    const file = serverFile(root)
    t.ok(Object.keys(file).length > 30)
    writeFileSync(join(root, 'conf', 'consul.json'), `\uFEFF${JSON.stringify(file)}`)
    const agent = await AgentProcess.start({ args: ['-config-dir', join(root, 'conf'), '-ui'] })
    t.teardown(() => agent.stop())

    await t.test('a setting that is not used is logged once', async (t) => {
      const expected = [
        'autopilot',
        'enable_syslog',
        'performance',
        'rejoin_after_leave',
        'retry_interval',
      ]
      for (const name of expected) await agent.until(` option ${name}`)
      const lines = agent.output.split('\n').filter((line) => line.includes(': not used: '))
      const named = lines.map((line) => / option (\S+)/.exec(line)?.[1] ?? line).toSorted()
      t.strictSame(named, expected)
      t.match(lines[0], /\[WARN\]/)
      t.match(agent.output, /empty\.json:1:1: the file is empty/)
    })

    await t.test(
      'the datacenter is in small letters, and the process ID is in its file',
      async (t) => {
        t.match(await agent.get('agent/self'), {
          Config: { Datacenter: 'eu-west_1' },
          Meta: { rack: 'a1' },
        })
        t.equal(readFileSync(join(root, 'consul.pid'), 'utf8').trim(), String(agent.child.pid))
      },
    )

    await t.test('node meta is in the catalog, in filters and in ?node-meta', async (t) => {
      const names = async (path: string): Promise<readonly string[]> => {
        const rows = await agent.get<readonly { readonly Node: string }[]>(path)
        return rows.map(({ Node }) => Node)
      }
      const own = ['consul-server-1']
      await until(
        'the node is there',
        10_000,
        async () => (await names('catalog/nodes')).length > 0,
      )
      t.match(await agent.get('catalog/nodes'), [{ Meta: { rack: 'a1', 'rfc1035-note': 'blue' } }])
      t.strictSame(await names('catalog/nodes?node-meta=rack:a1'), own)
      t.strictSame(await names('catalog/nodes?node-meta=rack:b2'), [])
      const filter = (value: string): string => encodeURIComponent(`Meta.rack == "${value}"`)
      t.strictSame(await names(`catalog/nodes?filter=${filter('a1')}`), own)
      t.strictSame(await names(`catalog/nodes?filter=${filter('b2')}`), [])
      t.strictSame(await agent.get('catalog/services?node-meta=rack:b2'), {})
      t.match(await agent.get('health/service/web'), [{ Node: { Meta: { rack: 'a1' } } }])
    })

    await t.test(
      'and in TXT answers, as Consul gives them',
      { skip: missing('dig') },
      async (t) => {
        const dig = async (...words: readonly string[]): Promise<string> => {
          const args = ['@127.0.0.1', '-p', String(agent.dnsPort), ...words]
          return (await promisify(execFile)('dig', args)).stdout
        }
        const name = 'consul-server-1.node.eu-west_1.consul'
        const texts = (await dig('+short', name, 'TXT')).trim().split('\n').toSorted()
        t.strictSame(texts, ['"blue"', '"consul-network-segment="', '"rack=a1"'])
        const answer = await dig('+noall', '+answer', '+additional', name, 'A')
        t.match(answer, /\sA\s+127\.0\.0\.1/)
        t.match(answer, /\sTXT\s+"rack=a1"/)
      },
    )

    t.equal(await agent.stop(), 0)
    t.notOk(existsSync(join(root, 'consul.pid')), 'the file of the process ID is gone')
  },
)

t.test('an agent that is started with other node meta says the new one', async (t) => {
  const root = t.testdir({})
  const args = ['-server', '-data-dir', join(root, 'data'), '-node', 'n1', '-bind', '127.0.0.1']
  const metaOf = async (agent: AgentProcess): Promise<Record<string, string>> => {
    const rows =
      await agent.get<readonly { readonly Meta: Record<string, string> }[]>('catalog/nodes?stale')
    return rows[0]?.Meta ?? {}
  }
  const first = await AgentProcess.start({
    args: [...args, '-node-meta', 'rack=a1', '-node-meta=os:linux'],
  })
  await until('its meta is there', 10_000, async () => (await metaOf(first))['rack'] === 'a1')
  t.equal((await metaOf(first))['os'], 'linux')
  await first.stop()
  const second = await AgentProcess.start({ args: [...args, '-node-meta=rack=b2'] })
  t.teardown(() => second.stop())
  await until('the new one is there', 10_000, async () => (await metaOf(second))['rack'] === 'b2')
  t.notOk('os' in (await metaOf(second)))
})

/** A client agent's file with what Consul's tutorials put into it. */
const clientFile = {
  datacenter: 'dc1',
  data_dir: '/opt/consul',
  log_level: 'INFO',
  node_name: 'client-1',
  server: false,
  bind_addr: '{{ GetInterfaceIP "eth0" }}',
  client_addr: '127.0.0.1',
  advertise_addr: '10.0.0.5',
  retry_join: ['10.0.0.1:8301', 'provider=aws tag_key=consul tag_value=server'],
  retry_interval: '15s',
  retry_max: 0,
  encrypt: Buffer.alloc(32, 7).toString('base64'),
  verify_incoming: true,
  verify_outgoing: true,
  verify_server_hostname: true,
  ca_file: '/etc/consul.d/ca.pem',
  cert_file: '/etc/consul.d/cert.pem',
  key_file: '/etc/consul.d/key.pem',
  auto_encrypt: { tls: true },
  acl: { enabled: true, tokens: { agent: 'b1gs33cr3t' } },
  connect: { enabled: true },
  ports: { grpc: 8502 },
  recursors: ['8.8.8.8'],
  enable_local_script_checks: true,
  leave_on_terminate: true,
  ui: true,
  telemetry: { dogstatsd_addr: '127.0.0.1:8125', disable_hostname: true },
  watches: [{ type: 'service', service: 'web', args: ['/bin/true'] }],
  disable_update_check: true,
  node_meta: { rack: 'a1' },
  performance: { raft_multiplier: 5 },
  check_update_interval: '5m',
}

t.test('the file of a client agent says in one run all that does not carry over', async (t) => {
  t.ok(Object.keys(clientFile).length > 30)
  const root = t.testdir({ 'consul.json': JSON.stringify(clientFile, null, 2) })
  const file = join(root, 'consul.json')
  for (const line of [
    ['agent', '-config-file', file],
    ['validate', file],
  ]) {
    const { code, err } = await runSvcd('', ...line)
    t.equal(code, 1)
    const named = [...err.matchAll(/Option (\S+) in \S+consul\.json:(\d+): /g)].map(
      ([, key]) => key,
    )
    t.strictSame(named, [
      'bind_addr',
      'retry_join',
      'verify_incoming',
      'verify_outgoing',
      'verify_server_hostname',
      'auto_encrypt.tls',
      'connect',
      'ports.grpc',
      'telemetry.dogstatsd_addr',
      'watches',
      'cert_file',
      'server',
    ])
    t.match(
      err,
      /Option server in \S+: svcd does not support client agents yet\. Start a server with/,
    )
    t.match(err, /register services with a remote server over HTTP/)
    t.notMatch(err, /b1gs33cr3t/)
  }
  const { err } = await runSvcd('', 'validate', file)
  t.match(err, /^warning: option leave_on_terminate in \S+: not used: /m)
})

t.test('files that are not JSON are named for what they are', async (t) => {
  const root = t.testdir({
    conf: { 'consul.hcl': 'server = true\ndata_dir = "/opt/consul"\n' },
    'consul.hcl': 'server = true\n',
    'list.json': '[{"datacenter": "eu"}]',
    'name.json': '{"name": "n1", "encrypt": "b1gs33cr3t"}',
  })
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['-config-dir', join(root, 'conf')],
      /conf\/consul\.hcl:1:1: HCL is not supported; write this file as JSON/,
    ],
    [['-config-file', join(root, 'consul.hcl')], /consul\.hcl:1:1: HCL is not supported/],
    [
      ['-config-file', join(root, 'list.json')],
      /list\.json:1:1: the file must contain one JSON object/,
    ],
    [['-config-file', join(root, 'name.json')], /Option name in \S+name\.json:1: unknown option/],
    [
      ['-hcl', 'server = true'],
      /Option -hcl: .*svcd reads only JSON files\. Write the setting in JSON to a file/,
    ],
  ]
  for (const [line, message] of cases) {
    const { code, err } = await runSvcd('', 'agent', '-dev', ...line)
    t.match(err, message)
    t.equal(code, 1)
  }
})

t.test(
  'a reload tells what was taken, what was left out, and what stays because of it',
  async (t) => {
    const directory = t.testdir({
      'a.json': '{"service": {"name": "a", "port": 1}}',
      'z.json': '{"service": {"name": "z", "port": 1}, "log_level": "info"}',
    })
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text)
    const agent = await AgentProcess.start({ args: ['-dev', '-config-dir', directory] })
    t.teardown(() => agent.stop())
    const reload = async () => runSvcd(agent.httpUrl, 'reload')
    const services = async (): Promise<readonly string[]> =>
      Object.keys(await agent.get<object>('agent/services')).toSorted()

    rmSync(join(directory, 'a.json'))
    for (const [text, reason] of [
      ['', 'the file is empty'],
      ['{"service": {"name": ', 'expected a value'],
      ['{"service": {"name": "z", "port": 70000}}', '70000 is not between'],
    ] as const) {
      write('z.json', text)
      const { code, err } = await reload()
      t.equal(code, 1, reason)
      t.match(err, /^svcd: kept: service a: no file defines it any more$/m)
      t.match(err, /[12] kept\. Fix the files named above, then reload again\./)
      if (text !== '')
        t.match(err, new RegExp(`^svcd: skipped: .*z\\.json:1:\\d+: .*${reason}`, 'm'))
      t.strictSame(await services(), ['a', 'z'])
      t.match(
        agent.output,
        /keeping services that no file defines any more until every file can be read/,
      )
      t.match(agent.output, new RegExp(`because=".*z\\.json:1:\\d+: .*${reason}`))
      t.match(agent.output, /reloaded definition and zone files, but did not accept everything/)
    }

    write(
      'z.json',
      '{"service": {"name": "z", "port": 2}, "log_level": "warn", "node_meta": {"a": "b"}}',
    )
    const { code, out, err } = await reload()
    t.equal(code, 0)
    t.match(out, /^service a: removed\nservice z: changed by \S+z\.json$/m)
    t.match(err, /^svcd: node_meta changed; restart the agent to apply it$/m)
    t.match(err, /^svcd: log_level changed;/m)
    t.strictSame(await services(), ['z'])
    t.match(
      agent.output,
      /changed options take effect at the next start: options=\["node_meta","log_level"\]/,
    )

    write('z.json', '{"service": {"name": "z", "port": 2}, "log_level": "loud"}')
    t.match(await reload(), {
      code: 1,
      err: /skipped: Option log_level in .*z\.json:1: "loud" is not one/,
    })
  },
)

t.test('a process that cannot write its ID says so and does not start', async (t) => {
  const { code, err } = await runSvcd('', 'agent', '-dev', '-pid-file', '/nonexistent/x.pid')
  t.match(err, /^svcd: Cannot write the file \/nonexistent\/x\.pid: ENOENT/)
  t.equal(code, 1)
  t.ok(existsSync(svcdBin))
})
