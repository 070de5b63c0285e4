import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentProcess } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { httpLoad } from './http-load.ts'
import { median, table } from './report.ts'

const connections = 16
const seconds = 4
const rounds = 3
const paths = ['/v1/health/service/consul?stale', '/v1/status/leader'] as const

/** Reads with keep-alive over HTTP and over HTTPS, in turns, of one agent. */
export async function benchHttps(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-https-'))
  const files = writeCredentials(directory, 'https', leaf(authority()))
  const agent = await AgentProcess.start({
    args: [
      '-dev',
      '-https-port=0',
      `-https-cert-file=${files.cert}`,
      `-https-key-file=${files.key}`,
    ],
  })
  try {
    const httpsPort = Number(/HTTPS: https:\/\/\S+:(\d+)/.exec(agent.output)?.[1])
    const rows: string[][] = []
    for (const path of paths) {
      const [http, https]: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        http.push(await perSecond(agent.httpPort, false, path))
        https.push(await perSecond(httpsPort, true, path))
      }
      const share = (100 * median(https)) / median(http)
      const figures = [median(http).toFixed(0), median(https).toFixed(0), `${share.toFixed(0)} %`]
      rows.push([`\`${path}\``, ...figures])
    }
    const title = `HTTPS beside HTTP: reads per second, ${connections} connections with keep-alive`
    return table(title, ['request', 'HTTP', 'HTTPS', 'share'], rows)
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true })
  }
}

async function perSecond(port: number, isTls: boolean, path: string): Promise<number> {
  const request = () => ({ method: 'GET', path, body: '' })
  const result = await httpLoad({ port, isTls, connections, seconds, request })
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`)
  return result.perSecond
}
