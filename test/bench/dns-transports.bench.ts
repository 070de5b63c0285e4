import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { must } from '../../src/base/assert.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { buildQuery } from '../dns/fixture.ts'
import {
  questionsFile,
  rounds,
  seconds,
  serviceName,
  withServers,
  zoneText,
} from './dns-peers.bench.ts'
import { dnsperfAgainst, onCpu } from './dnsperf.ts'
import { loadCpu, startSvcd, startUnbound } from './name-servers.ts'
import { freePort } from './peers.ts'
import { spread, table } from './report.ts'
import type { DnsFigures } from './dnsperf.ts'
import type { EncryptedPorts, NameServer } from './name-servers.ts'

type Mode = 'udp' | 'tcp' | 'dot' | 'doh'

const http2Requests = 20_000

/** Each transport of svcd and of Unbound, on one core each. */
export async function benchDnsTransports(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-tls-'))
  try {
    return await transports(writeCredentials(directory, 'server', leaf(authority())))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function transports(files: Pick<EncryptedPorts, 'cert' | 'key'>): Promise<string> {
  const portsOf = async (): Promise<EncryptedPorts> => ({
    tls: await freePort(),
    https: await freePort(),
    ...files,
  })
  const ports = [await portsOf(), await portsOf()]
  const [own, peer] = [must(ports[0]), must(ports[1])]
  const svcd = (): Promise<NameServer> =>
    startSvcd('mmsg', 'svcd', [
      `-dns-tls-port=${own.tls}`,
      `-dns-https-port=${own.https}`,
      '-dns-cert-file',
      own.cert,
      '-dns-key-file',
      own.key,
    ])
  return withServers([svcd, () => startUnbound(zoneText(), peer)], async (servers, directory) => {
    const questions = questionsFile(directory, 'A')
    const rows: string[][] = []
    for (const mode of ['udp', 'tcp', 'dot', 'doh'] as const) {
      const figures = servers.map((): DnsFigures[] => [])
      for (let round = 0; round < rounds; round++) {
        for (const [at, server] of servers.entries()) {
          figures[at]?.push(await measured(server, must(ports[at]), mode, questions))
        }
      }
      const ours = must(figures[0])
      for (const [at, { name }] of servers.entries()) {
        const theirs = must(figures[at])
        const ratio = theirs.map(({ perSecond }, round) => must(ours[round]).perSecond / perSecond)
        rows.push([
          mode,
          name,
          spread(
            theirs.map(({ perSecond }) => perSecond),
            0,
          ),
          spread(
            theirs.map(({ cpuMicros }) => cpuMicros),
            2,
          ),
          at === 0 ? '' : spread(ratio, 2),
        ])
      }
    }
    return table(
      `DNS by transport on one core each, A × 3 from the cache; dnsperf, for HTTPS h2load over HTTP/2; ${rounds} rounds × ${seconds} s, median (quartiles)`,
      ['transport', 'server', 'questions/s', 'µs CPU each', 'svcd’s rate : its'],
      rows,
    )
  })
}

function measured(
  server: NameServer,
  { tls, https }: EncryptedPorts,
  mode: Mode,
  questions: string,
): Promise<DnsFigures> {
  const port = { udp: server.dnsPort, tcp: server.dnsPort, dot: tls, doh: https }[mode]
  const load = { port, questions, seconds, flags: ['-m', mode], cpu: loadCpu }
  return dnsperfAgainst(
    server.pids,
    load,
    mode === 'doh' ? ({ port: at }) => h2load(at) : undefined,
  )
}

const run = promisify(execFile)

/** dnsperf 2.10 loses answers that come in one TLS record. */
async function h2load(port: number) {
  const name = `${serviceName(0)}.service.consul`
  const query = buildQuery(name, 'A', { edns: 1232 }).toString('base64url')
  const url = `https://127.0.0.1:${port}/dns-query?dns=${query}`
  const words = ['h2load', '-n', String(http2Requests), '-c', '8', '-m', '50', url]
  const [program = '', ...rest] = onCpu(loadCpu, words)
  const { stdout } = await run(program, rest)
  const completed = Number(/(\d+) 2xx/.exec(stdout)?.[1])
  const perSecond = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1])
  return { completed, perSecond, lost: http2Requests - completed }
}
