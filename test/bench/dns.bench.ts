import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AgentProcess } from '../helpers/agent-process.ts'
import { startConsul, versionOf } from './peers.ts'
import { median, table } from './report.ts'

const seconds = 5
const rounds = 3
const services = 100
const instances = 3

/** Questions a second over UDP by dnsperf: svcd, and Consul when it is there, in turns in one run. */
export async function benchDns(): Promise<string> {
  if (versionOf('dnsperf', '-h') === undefined) return 'DNS: dnsperf is not on PATH, left out.\n'
  const questions = join(mkdtempSync(join(tmpdir(), 'svcd-bench-dns-')), 'questions.txt')
  writeFileSync(questions, questionLines('A') + questionLines('SRV'))
  const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
  const consul = versionOf('consul') === undefined ? undefined : await startConsul()
  const svcdRates: number[] = []
  const consulRates: number[] = []
  try {
    await fill(agent.httpPort)
    if (consul !== undefined) await fill(consul.httpPort)
    for (let round = 0; round < rounds; round++) {
      svcdRates.push(await dnsperf(agent.dnsPort, questions))
      if (consul !== undefined) consulRates.push(await dnsperf(consul.dnsPort, questions))
    }
  } finally {
    await agent.stop()
    await consul?.stop()
    rmSync(join(questions, '..'), { recursive: true, force: true })
  }
  const [ours, theirs] = [median(svcdRates), median(consulRates)]
  const rows = [['svcd', ours.toFixed(0), '']]
  if (consul !== undefined) {
    rows.push(['consul', theirs.toFixed(0), `svcd answers ${(ours / theirs).toFixed(1)} × as many`])
  }
  return table(
    `DNS over UDP, ${services} names × A and SRV, ${instances} instances each, dnsperf -c 8 -q 400, ${rounds} × ${seconds} s, medians`,
    ['server', 'questions/s', ''],
    rows,
  )
}

function questionLines(type: string): string {
  return Array.from({ length: services }, (_, n) => `web${n}.service.consul ${type}\n`).join('')
}

async function fill(httpPort: number): Promise<void> {
  for (let n = 0; n < services * instances; n++) {
    const body = {
      ID: `web-${n}`,
      Name: `web${n % services}`,
      Address: `10.9.0.${n % 250}`,
      Port: 8080,
    }
    const response = await fetch(`http://127.0.0.1:${httpPort}/v1/agent/service/register`, {
      method: 'PUT',
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
  }
}

async function dnsperf(port: number, questions: string): Promise<number> {
  const args = [
    '-s',
    '127.0.0.1',
    '-p',
    `${port}`,
    '-d',
    questions,
    '-l',
    `${seconds}`,
    '-c',
    '8',
    '-q',
    '400',
  ]
  const { stdout } = await promisify(execFile)('dnsperf', args)
  const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1])
  const rate = Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1])
  if (lost > 0) process.stderr.write(`dnsperf on port ${port}: ${lost} questions lost\n`)
  return rate
}
