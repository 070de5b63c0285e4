import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { cellColumns, cellsOf, inLockStep } from './lock-step.ts'
import { table } from './report.ts'

const connections = 16
/** Long enough that the handshakes at its begin do not count. */
const seconds = 2
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 5)
const paths = ['/v1/health/service/consul?stale', '/v1/status/leader'] as const

/** Reads with keep-alive over HTTP and over HTTPS, in turns, of one agent. */
export async function benchHttps(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-https-'))
  const files = writeCredentials(directory, 'https', leaf(authority()))
  const agent = await AgentProcess.start({
    args: [
      '-dev',
      '-log-level=warn',
      '-https-port=0',
      `-https-cert-file=${files.cert}`,
      `-https-key-file=${files.key}`,
    ],
  })
  try {
    const httpsPort = Number(/HTTPS: https:\/\/\S+:(\d+)/.exec(agent.output)?.[1])
    const pid = must(agent.child.pid, 'the agent runs')
    const rows: (readonly string[])[] = []
    for (const path of paths) {
      const request = () => ({ method: 'GET', path, body: '' })
      const [http = [], https = []] = await inLockStep(
        [
          { pid, request, port: agent.httpPort },
          { pid, request, port: httpsPort, isTls: true },
        ],
        { rounds, seconds, connections },
      )
      rows.push([`\`${path}\``, 'HTTP', ...cellsOf(http, http)])
      rows.push([`\`${path}\``, 'HTTPS', ...cellsOf(https, http)])
    }
    const how = `${connections} connections with keep-alive, ${rounds} × ${seconds} s in turn, median (quartiles)`
    return table(
      `HTTPS beside HTTP of one agent; ${how}`,
      ['request', 'over', ...cellColumns],
      rows,
    )
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true })
  }
}
