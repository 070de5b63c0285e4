import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { RequestOptions } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { connect, TLSSocket } from 'node:tls'
import t from 'tap'
import type { Test } from 'tap'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { missing } from '../helpers/tools.ts'

const ca = authority()

/** A running agent with HTTPS, whose certificate stands in `directory`. */
async function agentWith(t: Test, ...args: readonly string[]) {
  const directory = t.testdir()
  const paths = writeCredentials(directory, 'https', leaf(ca))
  const authorities = writeCredentials(directory, 'ca', ca).cert
  const files = [`-https-cert-file=${paths.cert}`, `-https-key-file=${paths.key}`]
  const all = ['-dev', '-https-port=0', ...files, ...args.map((a) => a.replace('CA', authorities))]
  const agent = await AgentProcess.start({ args: all })
  t.teardown(() => agent.stop())
  const port = Number(/HTTPS: https:\/\/\S+:(\d+)/.exec(agent.output)?.[1])
  return { agent, port, directory, paths, authorities }
}

interface Got {
  readonly status: number
  readonly body: string
  /** Undefined on a connection that was used before, where Node does not show the certificate again. */
  readonly fingerprint: string | undefined
  /** Tells one connection from another. */
  readonly localPort: number | undefined
}

/** GET over HTTPS. */
function get(port: number, path: string, options: RequestOptions = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const all = { host: '127.0.0.1', servername: 'server.dc1.consul', port, path, ca: ca.cert }
    const once = { agent: false }
    const sent = request({ ...all, ...once, ...options }, (answer) => {
      let body = ''
      const { socket } = answer
      const { localPort } = socket
      const fingerprint =
        socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.fingerprint256 : undefined
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()))
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body, fingerprint, localPort })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

t.test('the API answers over HTTPS, also when HTTP is off', async (t) => {
  const { agent, port } = await agentWith(t, '-http-port=-1')
  t.match(agent.output, /HTTP: off/)
  t.match(await get(port, '/v1/agent/self'), { status: 200, body: /"NodeName"/ })
  t.match(await get(port, '/v1/nonsense'), { status: 404 })
  const old = connect({
    host: '127.0.0.1',
    port,
    ca: ca.cert,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  })
  const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException]
  t.match(error.message, /version|protocol/i, 'TLS 1.1 is refused')
})

t.test('HTTP to the HTTPS port, and HTTPS to the HTTP port, are told what is wrong', async (t) => {
  const { agent, port } = await agentWith(t)
  const answer = await fetch(`http://127.0.0.1:${port}/v1/agent/self`)
  t.equal(answer.status, 400)
  t.match(await answer.text(), /This is the HTTPS port.*Use https:\/\//)
  await agent.until('the client does not speak TLS')
  const plain = await runSvcd(`http://127.0.0.1:${port}`, 'members')
  t.match(plain.err, /expects HTTPS. Use https:\/\//)
  const tls = await runSvcd(`https://127.0.0.1:${agent.httpPort}`, 'members')
  t.match(tls.err, /speaks HTTP without TLS. Use http:\/\//)
})

t.test('with -https-verify-incoming only clients with a certificate get in', async (t) => {
  const { port } = await agentWith(t, '-https-verify-incoming', '-https-ca-file=CA')
  await t.rejects(get(port, '/v1/agent/self'))
  await t.rejects(get(port, '/v1/agent/self', leaf(authority(), { role: 'cli' })))
  t.match(await get(port, '/v1/agent/self', leaf(ca, { role: 'cli' })), { status: 200 })
})

t.test('a reload shows new connections the new certificate, and ends no connection', async (t) => {
  const { agent, port, directory, paths } = await agentWith(t)
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => kept.destroy())
  const before = await get(port, '/v1/agent/self', { agent: kept })
  const waiting = get(port, '/v1/kv/none?index=1&wait=2s')
  writeCredentials(directory, 'https', leaf(ca))
  await agent.signal('SIGHUP', 'new connections use the new certificates for HTTPS')
  const after = await get(port, '/v1/agent/self')
  t.not(after.fingerprint, before.fingerprint)
  const same = await get(port, '/v1/agent/self', { agent: kept })
  t.equal(same.status, 200)
  t.equal(same.localPort, before.localPort, 'the open connection goes on')
  t.not(same.fingerprint, after.fingerprint)
  t.match(await waiting, { status: 404 }, 'and so does a request that waits')

  const wrong = writeCredentials(directory, 'wrong', leaf(ca))
  cpSync(wrong.key, paths.key)
  const said = await runSvcd(agent.httpUrl, 'reload')
  t.match(`${said.out}${said.err}`, /-https-key-file: .* does not belong to the certificate/)
  const still = await get(port, '/v1/agent/self')
  t.equal(still.fingerprint, after.fingerprint, 'a bad file keeps the old one')
})

// CVE-2020-7219
t.test('a client that is slow in the handshake is cut off, and counted', async (t) => {
  const { agent, port } = await agentWith(t, '-https-handshake-timeout=1s')
  const silent = connectTcp({ host: '127.0.0.1', port })
  const half = connectTcp({ host: '127.0.0.1', port })
  half.write(Buffer.from([0x16, 3, 1]))
  await Promise.all([once(silent, 'close'), once(half, 'close')])
  const metrics = await (await fetch(`${agent.httpUrl}/metrics`)).text()
  t.match(metrics, /svcd_connections_timed_out_total\{port="http"\} 2/)
})

t.test('one address has its limit over HTTP and HTTPS together', async (t) => {
  const { agent, port } = await agentWith(t, '-http-max-conns-per-client=2')
  const held = [
    connectTcp({ host: '127.0.0.1', port }),
    connectTcp({ host: '127.0.0.1', port: agent.httpPort }),
  ]
  t.teardown(() => held.forEach((socket) => void socket.destroy()))
  await Promise.all(held.map((socket) => once(socket, 'connect')))
  await t.rejects(get(port, '/v1/agent/self'))
})

// CVE-2018-19653, CVE-2019-9764
t.test('files that cannot be used keep the agent from starting', async (t) => {
  const directory = t.testdir()
  const { cert } = writeCredentials(directory, 'a', leaf(ca))
  const { key } = writeCredentials(directory, 'b', leaf(ca))
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[`-https-cert-file=${cert}`, `-https-key-file=${key}`], /does not belong to the certificate/],
    [[`-https-cert-file=${cert}`, `-https-key-file=${key}.none`], /-https-key-file: ENOENT/],
    [
      [`-https-cert-file=${key}`, `-https-key-file=${key}`],
      /-https-cert-file: ".*" cannot be used/,
    ],
    [[`-https-cert-file=${cert}`], /-https-key-file: HTTPS needs a certificate and its key/],
  ]
  for (const [files, said] of cases) {
    const agent = AgentProcess.spawn({ args: ['-dev', '-https-port=0', ...files] })
    await t.rejects(agent.running, said)
  }
})

t.test('curl talks to it', { skip: missing('curl') }, async (t) => {
  const { port, authorities } = await agentWith(t)
  const args = [
    '-sS',
    '--noproxy',
    '*',
    '--cacert',
    authorities,
    `https://localhost:${port}/v1/status/leader`,
  ]
  const out = await new Promise<string>((resolve, reject) => {
    execFile('curl', args, (error, text) => (error === null ? resolve(text) : reject(error)))
  })
  t.match(out, /^"127\.0\.0\.1:\d+"$/)
})

t.test('commands take certificates from flags and variables, those of svcd first', async (t) => {
  const { port, directory, authorities } = await agentWith(
    t,
    '-https-verify-incoming',
    '-https-ca-file=CA',
  )
  const own = writeCredentials(directory, 'cli', leaf(ca, { role: 'cli' }))
  const url = `https://127.0.0.1:${port}`
  const files = ['-ca-file', authorities, '-client-cert', own.cert, '-client-key', own.key]
  t.match(await runSvcd(url, 'members', ...files), { code: 0, out: /alive/ })
  t.match(await runSvcd(url, 'members'), { code: 2, err: /not trusted.*-ca-file or SVCD_CACERT/s })
  t.match(await runSvcd(url, 'members', ...files.slice(0, 4)), { err: /-client-key: set both/ })
  t.match(await runSvcd(url, 'members', '-ca-file', `${own.cert}.none`), {
    err: /-ca-file: cannot/,
  })
  const wrongName = await runSvcd(url, 'members', ...files, '-tls-server-name', 'other.example')
  t.match(wrongName.err, /other\.example/)
  t.match(await runSvcd(url, 'members', ...files, '-tls-server-name', 'server.dc1.consul'), {
    code: 0,
  })
  const env = {
    CONSUL_CACERT: authorities,
    CONSUL_CLIENT_CERT: own.cert,
    CONSUL_CLIENT_KEY: own.key,
    CONSUL_HTTP_SSL: 'true',
  }
  Object.assign(process.env, env)
  t.teardown(() => Object.keys(env).forEach((name) => delete process.env[name]))
  t.match(await runSvcd(`127.0.0.1:${port}`, 'members'), { code: 0, out: /alive/ })
  process.env['SVCD_HTTP_SSL'] = 'maybe'
  t.teardown(() => delete process.env['SVCD_HTTP_SSL'])
  t.match(await runSvcd(`127.0.0.1:${port}`, 'members'), { err: /SVCD_HTTP_SSL: "maybe" is not/ })
})
