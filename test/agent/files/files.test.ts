import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { findingText } from '../../../src/agent/files/document.ts'
import type { DefinitionFiles } from '../../../src/agent/files/document.ts'
import { loadDefinitionFiles } from '../../../src/agent/files/files.ts'

/** Loads a directory of these files; findings as text, without the directory. */
async function load(
  t: Test,
  files: Readonly<Record<string, string>>,
): Promise<DefinitionFiles & { readonly said: readonly string[] }> {
  const directory = t.testdir({ ...files })
  const loaded = await loadDefinitionFiles([directory])
  const said = loaded.findings.map((finding) =>
    findingText(finding).replaceAll(`${directory}/`, ''),
  )
  return { ...loaded, said }
}

t.test("Consul's files are read, in any of its spellings", async (t) => {
  const { services, checks, options, said } = await load(t, {
    'a.json': `{"service": {"id": "web1", "name": "web", "port": 80, "enable_tag_override": true,
      "check": {"id": "cx", "ttl": "10s", "status": "passing"}}, "node_name": "n1"}`,
    'b.json': `{"Services": [
      {"ID": "api", "Name": "api", "Port": 1, "Checks": [{"CheckID": "api-ttl", "TTL": "1m"},
        {"http": "http://127.0.0.1:1/", "interval": "10s", "tls_skip_verify": true}]}],
      "check": {"id": "n", "name": "node", "ttl": "10s"},
      "checks": [{"Name": "m", "TTL": "10s", "ServiceID": "api"}]}`,
    '.hidden.json': '{',
    'notes.txt': '{',
  })
  t.strictSame(said, [])
  t.match(services, [
    {
      service: { id: 'web1', name: 'web', port: 80, enableTagOverride: true, owner: 'file' },
      checks: [{ owner: 'file', check: { checkId: 'cx', serviceId: 'web1', status: 'passing' } }],
      source: { path: join(t.testdirName, 'a.json'), line: 1 },
    },
    {
      service: { id: 'api' },
      checks: [
        { check: { checkId: 'api-ttl' }, plan: { kind: 'ttl', ttlMs: 60_000 } },
        { check: { checkId: 'service:api:2' }, plan: { tlsSkipVerify: true } },
      ],
    },
  ])
  t.match(checks, [
    { check: { checkId: 'n', name: 'node', serviceId: '' }, owner: 'file' },
    { check: { checkId: 'm', serviceId: 'api' } },
  ])
  t.match(options, [{ path: /a\.json$/, content: { node_name: 'n1' } }])
  t.equal(options.length, 1)
})

t.test('what is wrong is told by file, line and reason, and the rest is read', async (t) => {
  const { services, checks, said } = await load(t, {
    'a.json': '{"service": {"name": "a", "port": 1}}',
    'b.json': '{\n "service": {\n  "name": "b",\n }\n}',
    'c.json': `{"services": [
      {"name": "c1", "port": 70000},
      {"name": "c2", "port": 1},
      {"name": "c3", "prot": 1},
      {"name": "c4", "check": {"http": "http://127.0.0.1/", "interval": "1 hour"}},
      {"name": "c5", "tags": [1]},
      {"name": "a", "port": 1},
      {"port": 1},
      "c6"
    ]}`,
    'd.json': '[]',
    'e.hcl': 'service {}',
    'f.json':
      '{"check": {"name": "f", "ttl": "10s"}, "checks": [{"id": "f", "name": "g", "ttl": "1s"}]}',
    'g.json': '{"service": {"name": "not.dns", "port": 1}}',
    'h.json': 'service {\n  name = "web"\n}\n',
    'i.json': ' \n',
    'j.json': '\uFEFF{"name": "bare", "port": 1, "check": {"id": "x1", "ttl": "10s"}}',
  })
  t.strictSame(
    said.map((line) => line.replaceAll('"', "'")),
    [
      "b.json:4:2: trailing comma before '}'",
      'c.json:2:30: Invalid Port: 70000 is not between 0 and 65535',
      "c.json:4:22: unknown field 'prot'",
      "c.json:5:73: Invalid Check.Interval: '1 hour' is not a duration; write one such as '10s' or '1m30s'",
      'c.json:6:31: Invalid Tags[0]: expected a string, got a number',
      "c.json:7:7: the service ID 'a' is already used in a.json:1",
      'c.json:8:7: Missing service name',
      'c.json:9:7: expected an object, got a string',
      "d.json:1:1: the file must contain one JSON object, such as {'service': {'name': 'web'}}",
      'e.hcl:1:1: HCL is not supported; write this file as JSON, with the same keys and values, and with a name that ends in .json',
      "f.json:1:51: the check ID 'f' is already used in f.json:1",
      "g.json:1:13: The service name 'not.dns' has a dot, so DNS cannot find it: DNS reads the part before the dot as a tag. Use hyphens instead.",
      'h.json:1:1: HCL is not supported; write this file as JSON, with the same keys and values, and with a name that ends in .json',
      'i.json:1:1: the file is empty',
    ],
  )
  t.strictSame(
    services.map(({ service }) => service.name),
    ['a', 'c2', 'not.dns', 'bare'],
  )
  t.match(services.at(-1), { checks: [{ check: { checkId: 'x1' } }] })
  t.equal(checks.length, 1)
})

t.test('options beside a misplaced "name" stay options; a bare service has none', async (t) => {
  const { services, options, said } = await load(t, {
    'a.json': '{"name": "n1", "encrypt": "x", "retry_join": ["10.0.0.1"]}',
    'b.json': '{"Name": "n1", "PORTS": {"dns": 53}}',
    'c.json': '{"name": "n1", "telemetry": {}}',
    'd.json':
      '{"name": "web", "port": 1, "connect": {"native": true}, "tagged_addresses": {}, "partition": ""}',
  })
  t.strictSame(said, [])
  t.strictSame(
    services.map(({ service }) => service.name),
    ['web'],
  )
  t.match(options, [
    { content: { name: 'n1', encrypt: 'x' } },
    { content: { Name: 'n1' } },
    { content: { name: 'n1', telemetry: {} } },
  ])
  t.equal(options.length, 3)
})

t.test('a document that is no object may have been meant to hold options', async (t) => {
  for (const text of ['[{"datacenter": "eu"}]', '"x"', '1', 'null']) {
    const { findings } = await load(t, { 'a.json': text })
    t.match(findings, [{ severity: 'error', holdsOptions: true, isWholeFile: true }], text)
  }
})

t.test('a path that is not there is a finding, and one file may be named', async (t) => {
  const directory = t.testdir({ 'x.conf': '{"service": {"name": "x"}}' })
  const missing = join(directory, 'none')
  const { services, findings } = await loadDefinitionFiles([missing, join(directory, 'x.conf')])
  t.equal(services.length, 1)
  t.match(findings, [{ path: missing, severity: 'error', reason: /^cannot be read: ENOENT/ }])
})

t.test('the file in docs/checks.md is valid, and has a check of each kind', async (t) => {
  const page = readFileSync(new URL('../../../docs/checks.md', import.meta.url), 'utf8')
  const [, text = ''] = /```json\n([^]*?)```/.exec(page) ?? []
  const { services, said } = await load(t, { 'web.json': text })
  t.strictSame(said, [])
  const kinds = services.flatMap(({ checks }) => checks.map(({ plan }) => plan.kind))
  t.strictSame(kinds, ['http', 'tcp', 'udp', 'grpc', 'h2ping', 'script', 'alias', 'ttl'])
})
