import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { Test } from 'tap'
import { run } from '../../src/cli/run.ts'
import type { Terminal } from '../../src/cli/io.ts'
import { TestApi } from '../api/support.ts'
import { fixedDns } from '../helpers/fixed-dns.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

const escape = '\u001b['

async function addressOf(t: Test): Promise<string> {
  const api = new TestApi(t, { dns: fixedDns })
  return api.app.listen({ port: 0, host: '127.0.0.1' })
}

/** `interruptAfter`: the user presses Ctrl-C when the table was drawn so often. */
async function svcd(
  line: string,
  address: string,
  terminal?: Terminal,
  interruptAfter = Infinity,
): Promise<Ran> {
  let [out, err, drawn] = ['', '', 0]
  let interrupt = (): void => {}
  const code = await run(line.split(' '), {
    out: (text) => void (out += text),
    outStyled: (text) => {
      out += text
      if (text.includes('DNS queries') && ++drawn === interruptAfter) interrupt()
    },
    err: (text) => void (err += text),
    terminal,
    env: { SVCD_HTTP_ADDR: address },
    readText: async (path) => readFile(path, 'utf8'),
    onInterrupt: (stop) => {
      interrupt = stop
    },
  })
  return { code, out, err }
}

const expected = `12.3 DNS queries per second in the last 10 s, 90.0 % of the answers from the cache
Transport  Per second  Half ready within  99 % ready within
udp        12.0        0.025 ms           0.1 ms
tcp        0.3         -                  -
Answers per second: NOERROR 12.0, NXDOMAIN 0.3
Types per second: A 12.3

Per second  Name
8.0         web.service.consul.
3.0         n1.node.consul.
1.0         1.0.0.10.in-addr.arpa.
0.3         www.example.org.

Per second  Name that does not exist
0.3         gone.service.consul.

Per second  Client
12.3        10.0.0.9
`

t.test('svcd top prints one table where the output is not a terminal', async (t) => {
  const address = await addressOf(t)
  t.strictSame(await svcd('top', address), { code: 0, out: expected, err: '' })
  const terminal = { columns: 80, hasColour: false }
  t.equal((await svcd('top -once', address, terminal)).out, expected)
})

t.test('svcd top prints JSON, and the frequent names alone', async (t) => {
  const address = await addressOf(t)
  t.match(JSON.parse((await svcd('top --json', address)).out), { PerSecond: 12.346 })
  const { out } = await svcd('top -o name', address)
  t.match(out, /^web\.service\.consul\.\nn1\.node\.consul\.\n/)
})

t.test('on a terminal the table is drawn again and again, until Ctrl-C', async (t) => {
  const terminal = { columns: 80, rows: 18, hasColour: false }
  const { code, out } = await svcd('top -interval 500ms', await addressOf(t), terminal, 2)
  t.equal(code, 0)
  const frames = out.split(`${escape}H`).slice(2)
  t.equal(frames.length, 2)
  for (const frame of frames) {
    t.match(frame, /^12\.3 DNS queries/)
    t.ok(frame.endsWith(`${escape}J`), 'nothing of the table before stays below it')
    const lines = frame.split('\n')
    t.ok(lines.length <= 18, `${lines.length} lines in a window of 18`)
    t.match(frame, /web\.service/)
    t.notMatch(frame, /example/, 'the rarest names are left out')
  }
})

t.test('an interval that would only load the agent is refused', async (t) => {
  const terminal = { columns: 80, hasColour: false }
  const { code, err } = await svcd('top -interval 1ms', await addressOf(t), terminal)
  t.equal(code, 1)
  t.match(err, /--interval.*"1ms" is not a duration of at least 500ms/)
})
