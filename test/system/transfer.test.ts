import { randomUUID } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'
import { TransferClient, dig, tsigKey, tsigKeyText } from '../helpers/transfer-client.ts'
import { until } from '../helpers/until.ts'

const zoneText = (serial: number, host: string): string => `$ORIGIN example.org.
$TTL 60
@ SOA ns hostmaster ${serial} 3600 900 1209600 300
@ NS ns
ns A 192.0.2.53
${host} A 192.0.2.1
*.wild TXT "any"
`

/** An agent with a zone file and other files; `{dir}` in its flags is their directory. */
async function startAgent(t: Test, flags: readonly string[], files = {}) {
  const zones = t.testdir({ 'example.org.zone': zoneText(10, 'www'), ...files })
  const args = flags.map((flag) => flag.replace('{dir}', zones))
  const agent = await AgentProcess.start({ args: ['-dev', '-node=n1', '-zones', zones, ...args] })
  t.teardown(() => agent.stop())
  const register = (name: string, meta: Record<string, string> = {}): Promise<Response> =>
    agent.put('agent/service/register', {
      Name: name,
      Address: '10.9.0.1',
      Port: 80,
      Tags: ['v1'],
      Meta: meta,
    })
  return { agent, zones, register }
}

async function figure(agent: AgentProcess, name: string): Promise<number> {
  const path = `${agent.httpUrl}/v1/agent/metrics?format=prometheus`
  const text = await (await fetch(path)).text()
  const line = text.split('\n').find((each) => each.startsWith(`svcd_transfer_${name} `))
  return Number(line?.split(' ')[1] ?? NaN)
}

/** The serial of a zone. */
async function serialOf(agent: AgentProcess, zone: string): Promise<number> {
  const { answer } = await ask({ address: '127.0.0.1', port: agent.dnsPort }, zone, 'SOA')
  return Number(answer[0]?.data.split(' ')[2])
}

t.test('dig transfers a zone file and the registry', { skip: missing('dig') }, async (t) => {
  const { agent, register } = await startAgent(t, ['-dns-transfer-allow=127.0.0.0/8'])
  await register('web')
  const fixed = await dig(agent.dnsPort, 'example.org', 'AXFR', '+noall', '+answer')
  const lines = fixed
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' '))
  t.equal(lines.length, 6)
  t.match(lines.at(0), /^example\.org\. 60 IN SOA .* 10 3600/)
  t.equal(lines.at(-1), lines.at(0))
  t.ok(lines.includes('*.wild.example.org. 60 IN TXT "any"'), 'a wildcard is transferred as such')
  const own = await dig(agent.dnsPort, 'consul', 'AXFR', '+noall', '+answer')
  t.match(own, /^v1\.web\.service\.consul\.\s+0\s+IN\s+A\s+10\.9\.0\.1$/m)
  t.match(
    own,
    /^_web\._tcp\.service\.consul\.\s+0\s+IN\s+SRV\s+1 1 80 0a090001\.addr\.dc1\.consul\.$/m,
  )
  t.match(own, /^0a090001\.addr\.dc1\.consul\.\s+0\s+IN\s+A\s+10\.9\.0\.1$/m)
  const serial = Number(/SOA\s+\S+ \S+ (\d+)/.exec(own)?.[1])
  t.ok(serial > 0 && serial <= (await serialOf(agent, 'consul')), 'with the serial of SOA answers')
  t.match(await dig(agent.dnsPort, 'www.example.org', 'AXFR', '+tcp'), /NOTAUTH|failed/i)
  t.match(await dig(agent.dnsPort, 'consul', `IXFR=${serial - 1}`), /web\.service\.consul/)
  const current = await dig(agent.dnsPort, 'example.org', 'IXFR=10', '+noall', '+answer')
  t.equal(current.trim().split('\n').length, 1, 'who has the version gets the SOA alone')
  t.match(await dig(agent.dnsPort, 'example.org', 'IXFR=9', '+notcp'), /SOA/)
  t.equal(await figure(agent, 'queries_total{result="unchanged"}'), 1)
})

t.test('nobody may transfer a zone unless a rule says so', { skip: missing('dig') }, async (t) => {
  const { agent } = await startAgent(t, [])
  const refused = await dig(agent.dnsPort, 'consul', 'AXFR')
  t.match(refused, /Transfer failed/)
  const { agent: other } = await startAgent(t, ['-dns-transfer-allow=10.0.0.0/8'])
  t.match(await dig(other.dnsPort, 'consul', 'AXFR'), /Transfer failed/)
  t.match(other.output, /did not transfer the zone consul\. to 127\.0\.0\.1: -dns-transfer-allow/)
  t.equal(await figure(other, 'queries_total{result="refused"}'), 1)
})

t.test('a rule with a key needs its signature', { skip: missing('dig') }, async (t) => {
  const { name, secret } = tsigKey
  const file = `key "${name}" { algorithm hmac-sha256; secret "${secret}"; };`
  const flags = ['-tsig-key-file={dir}/key', `-dns-transfer-allow=key:${name}`]
  const { agent } = await startAgent(t, flags, { key: file })
  const axfr = (...words: readonly string[]) => dig(agent.dnsPort, 'example.org', 'AXFR', ...words)
  t.match(await axfr(), /Transfer failed/)
  const signed = await axfr('-y', tsigKeyText)
  t.match(signed, /www\.example\.org/)
  t.match(signed, /TSIG\s+hmac-sha256\. \d+ 300 32 \S+ \d+ NOERROR 0/)
  t.notMatch(signed, /verify|WARNING|could not/i)
  const wrong = Buffer.from('some other secret').toString('base64')
  t.match(await axfr('-y', `hmac-sha256:${name}:${wrong}`), /BADSIG/)
  t.match(await axfr('-y', `hmac-sha256:nobody:${secret}`), /BADKEY/)
  t.match(await axfr('-y', `hmac-sha1:${name}:${secret}`), /BADKEY/)
  const late = await dig(
    agent.dnsPort,
    'example.org',
    'SOA',
    '-y',
    tsigKeyText,
    '+fuzztime=1000000',
  )
  t.match(late, /BADTIME/)
  const soa = await dig(agent.dnsPort, 'example.org', 'SOA', '+norec', '-y', tsigKeyText)
  t.match(soa, /status: NOERROR/)
  t.notMatch(soa, /could not|WARNING/i, 'secondaries sign their SOA queries over UDP')
  t.notOk(agent.output.includes(secret), 'no secret is in the log')
  const config = await (await fetch(`${agent.httpUrl}/v1/agent/self`)).text()
  t.notOk(config.includes(secret))
})

t.test('a transfer shows one moment, whatever changes while it is read slowly', async (t) => {
  const { agent, register } = await startAgent(t, ['-dns-transfer-allow=127.0.0.1'])
  const meta = Object.fromEntries(
    Array.from({ length: 64 }, (_, n) => [`key-${n}`, 'x'.repeat(500)]),
  )
  for (let n = 0; n < 120; n++) await register(`big-${n}`, meta)
  const slow = await TransferClient.ask(agent.dnsPort, 'consul')
  // From the first message on, the moment that it shows is fixed.
  await until('it is under way', 20_000, async () => (await figure(agent, 'bytes_total')) > 0)
  t.equal(await figure(agent, 'running'), 1)
  const before = await serialOf(agent, 'consul')
  await register('late')
  const { answer } = await ask(
    { address: '127.0.0.1', port: agent.dnsPort },
    'late.service.consul',
    'A',
    { tcp: true },
  )
  t.equal(answer.length, 1, 'others are answered meanwhile')
  const next = await (await TransferClient.ask(agent.dnsPort, 'consul')).read()
  const records = await slow.read()
  const serialIn = (at: number): number => Number(records.at(at)?.data)
  t.equal(serialIn(0), serialIn(-1), 'it begins and ends with the same serial')
  t.ok(serialIn(0) <= before)
  const has = (all: typeof records, name: string): boolean =>
    all.some((record) => record.name === `${name}.service.consul.`)
  for (let n = 0; n < 120; n++) t.ok(has(records, `big-${n}`))
  t.notOk(has(records, 'late'))
  t.ok(has(next, 'late'), 'the next transfer has the change')
  t.ok(Number(next[0]?.data) > serialIn(0))
  const files = /Data: (\S+)/.exec(agent.output)?.[1]
  if (files?.startsWith('/'))
    t.notOk(readdirSync(files).some((name) => name.includes('zone-image')))
})

t.test('a transfer shows what the token of DNS may read, and nothing else', async (t) => {
  const root = randomUUID()
  const acl = { enabled: true, default_policy: 'deny', tokens: { initial_management: root } }
  const flags = ['-dns-transfer-allow=127.0.0.1', '-config-file={dir}/agent.json']
  const { agent } = await startAgent(t, flags, { 'agent.json': JSON.stringify({ acl }) })
  const send = async (
    method: string,
    path: string,
    body: unknown,
  ): Promise<Record<string, string>> => {
    const options = { method, headers: { 'x-consul-token': root }, body: JSON.stringify(body) }
    const response = await fetch(`${agent.httpUrl}/v1/${path}`, options)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {}
  }
  for (const [at, kind] of ['open', 'hidden'].entries()) {
    for (const [of, service] of ['open', 'hidden'].entries()) {
      await send('PUT', 'catalog/register', {
        Node: `${kind}-node`,
        ID: `0000000${at}-0000-4000-8000-0000000000aa`,
        Address: `10.${at}.0.1`,
        NodeMeta: { is: kind },
        Service: {
          Service: `${service}-svc`,
          ID: `${service}-${kind}`,
          Address: `10.${at}.${of}.2`,
          Tags: [`${kind}-${service}-tag`],
          Meta: { is: service },
        },
      })
    }
    await send('POST', 'query', { Name: `${kind}-query`, Service: { Service: `${kind}-svc` } })
  }
  const { ID } = await send('PUT', 'acl/policy', { Name: 'dns' })
  const { SecretID } = await send('PUT', 'acl/token', { Policies: [{ ID }] })
  await send('PUT', 'agent/token/dns', { Token: SecretID })
  const rules = ['service', 'node', 'query'].map(
    (kind) => `${kind}_prefix "open" { policy = "read" }`,
  )
  const zone = async (): Promise<string> => {
    const records = await (await TransferClient.ask(agent.dnsPort, 'consul')).read()
    return records.map(({ name, type, data }) => `${name} ${type} ${data}`).join('\n')
  }
  t.notMatch(await zone(), /open|hidden|10\.\d/, 'without rights it shows nothing')
  await send('PUT', `acl/policy/${ID}`, { ID, Name: 'dns', Rules: rules.join('\n') })
  const shown = await until('the rights count', 10_000, async () => {
    const text = await zone()
    return text.includes('open-svc') ? text : undefined
  })
  t.match(shown, /^open-open-tag\.open-svc\.service\.consul\. A 10\.0\.0\.2$/m)
  t.match(shown, /^open-query\.query\.consul\. A 10\.0\.0\.2$/m)
  t.match(shown, /^open-node\.node\.consul\. A 10\.0\.0\.1$/m)
  const all = shown.split('\n').filter((line) => /hidden|10\.1\.|10\.0\.1\.|0a01|0a0001/.test(line))
  t.strictSame(all, [], 'nothing of a service, node, address or query that it may not read')
})

/** A secondary that acknowledges NOTIFY messages. */
async function secondary(t: Test) {
  const socket = createSocket('udp4')
  const zones: { readonly zone: string; readonly atMs: number }[] = []
  socket.on('message', (bytes, from) => {
    zones.push({
      zone: bytes.includes('example') ? 'example.org' : 'consul',
      atMs: performance.now(),
    })
    // The first message is lost.
    if (zones.length === 1) return
    const answer = Buffer.from(bytes)
    answer.writeUInt8(answer.readUInt8(2) | 0x80, 2)
    socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { port: socket.address().port, zones }
}

t.test('secondaries are told of each zone at the start, and of changes', async (t) => {
  const { port, zones } = await secondary(t)
  const flags = ['-dns-transfer-allow=127.0.0.1', `-dns-notify=127.0.0.1:${port}`]
  const { agent, zones: directory, register } = await startAgent(t, flags)
  const acknowledged = (): Promise<number> => figure(agent, 'notifies_total{result="acknowledged"}')
  await until('both zones are acknowledged', 10_000, async () => (await acknowledged()) >= 2)
  t.strictSame([...new Set(zones.map(({ zone }) => zone))].toSorted(), ['consul', 'example.org'])
  t.ok(zones.length >= 3, 'what was lost was sent again')

  const from = zones.length
  for (let n = 0; n < 60; n++) await register(`many-${n}`)
  const [began, ended] = [zones.length, performance.now()]
  await until('the last change is told', 5000, () => zones.length > began)
  const told = zones.slice(from)
  t.ok(told.length < 60, `${told.length} messages for 60 changes`)
  for (const [at, { atMs }] of told.entries()) {
    if (at > 0) t.ok(atMs - (told[at - 1]?.atMs ?? 0) > 900, 'at most one a second')
  }
  t.ok(ended > 0)

  writeFileSync(join(directory, 'example.org.zone'), zoneText(10, 'other'))
  await agent.signal('SIGHUP', 'its serial has not risen')
  const before = zones.filter(({ zone }) => zone === 'example.org').length
  writeFileSync(join(directory, 'example.org.zone'), zoneText(11, 'other'))
  await agent.signal('SIGHUP', 'reloaded definition and zone files')
  await until(
    'the zone file is told',
    5000,
    () => zones.filter(({ zone }) => zone === 'example.org').length > before,
  )
})

t.test('an agent does not start with a rule that cannot work', async (t) => {
  const cases = {
    '-dns-transfer-allow=key:nobody': /there is no TSIG key "nobody"/,
    '-dns-notify=127.0.0.1': /allow them with -dns-transfer-allow/,
    '-tsig-key-file=/nowhere': /Option -tsig-key-file: .*ENOENT/,
    [`-tsig-key=hmac-md5:k:${tsigKey.secret}`]: /the algorithm of TSIG key k is not one of/,
  }
  for (const [arg, reason] of Object.entries(cases)) {
    const agent = AgentProcess.spawn({ args: ['-dev', arg] })
    await agent.exited
    t.match(agent.output, reason)
    t.notOk(agent.output.includes(tsigKey.secret))
  }
})
