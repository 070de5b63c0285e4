import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess, svcdBin } from '../helpers/agent-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// An agent that somebody tries svcd with: beside others, and in a window that may be closed.

t.test('-dev takes a free port for servers when the usual one is in use', async (t) => {
  // Whoever else has it, an agent or not.
  const holder = createServer().listen(8300, '127.0.0.1')
  await once(holder, 'listening').catch(() => t.comment('it is in use already'))
  t.teardown(() => holder.close())
  const agent = await AgentProcess.start({ args: ['-dev', '-server-port=8300'] })
  t.teardown(() => agent.kill())
  const said = /port 8300 is in use: this agent listens for servers on 127\.0\.0\.1:(\d+)/
  const [, port] = must(said.exec(agent.output))
  const self = await fetch(`${agent.httpUrl}/v1/agent/self`)
  t.match(await self.json(), { Member: { Port: Number(port) } })
})

t.test('the sample works under default deny with a token, or says what is missing', async (t) => {
  const acl = ['-dev', '-sample', '-acl', '-acl-default-policy=deny']
  const secret = 'f8a7c5a4-40d1-4f52-8c0e-0f7f1d1f2b11'
  const config = { acl: { tokens: { initial_management: secret } } }
  const directory = t.testdir({ 'acl.json': JSON.stringify(config) })
  const agent = await AgentProcess.start({ args: [...acl, `-config-file=${directory}/acl.json`] })
  t.teardown(() => agent.kill())
  await agent.until('The sample service "web"')
  t.match(agent.output, /The sample service "web" is registered, with two instances/)
  const healthy = await fetch(`${agent.httpUrl}/v1/health/service/web?passing`, {
    headers: { 'x-consul-token': secret },
  })
  t.equal(((await healthy.json()) as unknown[]).length, 2)
  t.notMatch(agent.output, secret)
  const without = await AgentProcess.start({ args: acl })
  t.teardown(() => without.kill())
  await without.until('initial_management. It needs')
  t.match(
    without.output,
    /The sample service "web" is not registered\. Permission denied: .* lacks permission 'service:write' on "web".*\n.*acl\.tokens\.initial_management/,
  )
  t.equal((await fetch(`${without.httpUrl}/v1/status/leader`)).status, 200, 'the agent runs')
})

const skip = process.platform === 'linux' ? missing('script') : 'needs /proc'

t.test('an agent whose terminal is closed', { skip, timeout: 120_000 }, async (t) => {
  await t.test('ends with -dev, without an abort', async (t) => {
    const window = await Window.open(t, ['-dev'])
    await window.close()
    t.equal(await window.exitCode(), 128 + 1, 'by SIGHUP')
  })
  await t.test('goes on as a server, and ends without an abort when it is stopped', async (t) => {
    const window = await Window.open(t, ['-server', `-data-dir=${join(t.testdir(), 'data')}`])
    await window.close()
    t.equal((await fetch(`${window.url}/v1/agent/reload`, { method: 'PUT' })).status, 200)
    t.equal(window.hasEnded, false)
    process.kill(window.pid, 'SIGTERM')
    t.equal(await window.exitCode(), 128 + 1)
  })
})

/** A terminal in which an agent runs. */
class Window {
  readonly pid: number
  readonly url: string
  readonly #child: ReturnType<typeof spawn>
  readonly #result: string

  private constructor(child: ReturnType<typeof spawn>, pid: number, url: string, result: string) {
    this.#child = child
    this.pid = pid
    this.url = url
    this.#result = result
  }

  static async open(t: Test, args: readonly string[]): Promise<Window> {
    const [http, dns, server] = await freePorts(3)
    const result = join(t.testdir(), 'result')
    const ports = [`-http-port=${http}`, `-dns-port=${dns}`, `-server-port=${server}`]
    const rest = [...args, ...ports, '-bind=127.0.0.1']
    const agent = [process.execPath, svcdBin, 'agent', ...rest].join(' ')
    // The shell outlives the terminal, to say how the agent ended.
    const lines = `trap '' HUP; ${agent} & echo "pid $!."; wait $!; echo $? > ${result}`
    const child = spawn('script', ['-qfc', lines, '/dev/null'])
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await until('it runs', 60_000, () => output.includes('agent running'))
    const pid = Number(/pid (\d+)\./.exec(output)?.[1])
    t.teardown(() => {
      child.kill('SIGKILL')
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended.
      }
    })
    return new Window(child, pid, `http://127.0.0.1:${http}`, result)
  }

  get hasEnded(): boolean {
    return existsSync(this.#result)
  }

  /** The terminal is gone; its shell tells what it has started. */
  async close(): Promise<void> {
    const closed = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await closed
    await until('it has no terminal', 10_000, () => terminalOf(this.pid) === 0)
    process.kill(this.pid, 'SIGHUP')
  }

  async exitCode(): Promise<number> {
    const code = (): string => (this.hasEnded ? readFileSync(this.#result, 'utf8').trim() : '')
    await until('its end', 20_000, () => code() !== '')
    return Number(code())
  }
}

/** The number of its controlling terminal (proc(5)); 0 is none. */
function terminalOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[4])
}
