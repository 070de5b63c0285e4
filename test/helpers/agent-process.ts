import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The compiled program, as users run it; found from this file's place in the sources or the build. */
export const svcdBin = findUp('bin/svcd.js')

function findUp(path: string): string {
  for (let base = new URL('../', import.meta.url); ; base = new URL('../', base)) {
    const file = fileURLToPath(new URL(path, base))
    if (existsSync(file)) return file
    if (base.pathname === '/')
      throw new Error(`${path} is in no directory above ${import.meta.url}`)
  }
}

export interface AgentProcessOptions {
  /** More flags; ports are free ones unless given here. */
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** A command before `node`, such as strace with its flags. */
  readonly wrapper?: readonly string[]
  /** Another build of the program. */
  readonly bin?: string | undefined
}

/** What a command came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command of the program against the agent at `httpUrl`. */
export function runSvcd(httpUrl: string, ...words: readonly string[]): Promise<Ran> {
  const options = { env: { ...process.env, SVCD_HTTP_ADDR: httpUrl }, timeout: 120_000 }
  return new Promise((resolve) => {
    execFile(process.execPath, [svcdBin, ...words], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err })
    })
  })
}

/** An agent in a process of its own, started from dist/ on free ports of 127.0.0.1. */
export class AgentProcess {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  /** Resolves when the agent says that it runs; rejects with its output when it ends before. */
  readonly running: Promise<void>
  output = ''
  httpPort = 0
  dnsPort = 0

  private constructor(child: ChildProcess) {
    this.child = child
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (signal !== null) this.output += `\nended by ${signal}\n`
        resolve(code)
      })
    })
    this.running = this.#running()
    // Whoever waits for it hears of it; nobody has to.
    this.running.catch(() => {})
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  /** An agent that runs; rejects with its output when it ends before. */
  static async start(options: AgentProcessOptions = {}): Promise<AgentProcess> {
    const agent = AgentProcess.spawn(options)
    await agent.running
    return agent
  }

  /** An agent that has just been started: it can be killed before it runs. */
  static spawn(options: AgentProcessOptions = {}): AgentProcess {
    const args = options.args ?? ['-dev']
    const ports = ['-http-port', '-dns-port', '-server-port'].filter(
      (flag) => !args.some((arg) => arg.startsWith(flag)),
    )
    const [command = '', ...words] = [
      ...(options.wrapper ?? []),
      process.execPath,
      options.bin ?? svcdBin,
      'agent',
      ...ports.map((flag) => `${flag}=0`),
      ...args,
    ]
    const child = spawn(command, words, {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return new AgentProcess(child)
  }

  /** Resolves when its output holds `text`, from `from` on; rejects when it ends before, or in 60 s. */
  until(text: string, from = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      const expire = setTimeout(() => {
        reject(new Error(`it does not say ${text}:\n${this.output}`))
      }, 60_000)
      const look = (): void => {
        if (!this.output.includes(text, from)) return
        clearTimeout(expire)
        resolve()
      }
      look()
      // After the listener of #running, which adds to `output`.
      this.child.stdout?.on('data', look)
      void this.exited.then(() => {
        clearTimeout(expire)
        reject(new Error(`ended without ${text}:\n${this.output}`))
      })
    })
  }

  #running(): Promise<void> {
    return new Promise((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        this.output += chunk.toString()
        if (!this.output.includes('svcd agent running!')) return
        this.httpPort = Number(/HTTP: http:\/\/\S+:(\d+)/.exec(this.output)?.[1] ?? 0)
        this.dnsPort = Number(/DNS: \S+:(\d+)/.exec(this.output)?.[1] ?? 0)
        resolve()
      }
      this.child.stdout?.on('data', onData)
      this.child.stderr?.on('data', onData)
      void this.exited.then((code) =>
        reject(new Error(`the agent ended with ${String(code)}:\n${this.output}`)),
      )
    })
  }

  /** Ends it as an operator would and resolves with its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM')
    return this.exited
  }

  /** Sends a signal and resolves when the agent's output says `text` from then on. */
  async signal(signal: NodeJS.Signals, text: string): Promise<void> {
    const said = this.until(text, this.output.length)
    this.child.kill(signal)
    await said
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  async put(path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.httpUrl}/v1/${path}`, {
      method: 'PUT',
      body: body === undefined ? null : JSON.stringify(body),
    })
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.httpUrl}/v1/${path}`)).json()) as T
  }
}
