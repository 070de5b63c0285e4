import { copyFileSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { AgentCheckDefinition } from '../../src/definition/agent-definition.ts'
import type { ServiceRegistered } from '../../src/ports/agent.ts'
import type { Identity } from '../../src/ports/identity.ts'
import type { Origin } from '../../src/ports/writes.ts'
import type { CheckPlan } from '../../src/definition/check-plan.ts'
import { must } from '../../src/base/assert.ts'
import { silentLogger } from '../../src/base/log.ts'
import type { CommandBody } from '../../src/state/families.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { CheckDefinition, ServiceDefinition } from '../../src/state/catalog/model.ts'
import { Agent } from '../../src/agent/agent.ts'
import type { AgentParts } from '../../src/agent/agent.ts'
import { probes } from '../../src/agent/checks/probes.ts'
import { AgentStore } from '../../src/storage/agent/store.ts'
import { MemoryCatalog, checkDefinition, serviceDefinition } from './catalog.ts'

export const identity: Identity = {
  nodeName: 'n1',
  nodeId: '3ba6d2a4-2a86-4a3c-8a40-5f0a3c5d2b10',
  datacenter: 'dc1',
  server: true,
  version: '0.1.0',
  address: '10.0.0.1',
  domain: 'consul',
  ports: { http: 8500, dns: 8600, server: 8300 },
}

export const origin: Origin = { actor: 'http 127.0.0.1', cause: 'test' }

interface Proposed {
  readonly body: CommandBody
  readonly origin: Origin
}

/** An agent on a real agent.db, in front of a real catalog whose leader can be taken away. */
export class AgentRig {
  readonly catalog: MemoryCatalog
  readonly proposed: Proposed[] = []
  /** While set, proposals are refused with it. */
  refusal: Error | undefined
  agent: Agent
  /** Of the next start. */
  identity = identity
  /** Wall time; monotonic time is real. */
  wallMs = 1_000_000
  readonly #t: Test
  readonly #events = new EventEmitter()
  readonly #parts: Partial<AgentParts>
  #directory: string
  #copies = 0

  private constructor(t: Test, catalog: MemoryCatalog, parts: Partial<AgentParts>) {
    this.#t = t
    this.catalog = catalog
    this.#parts = parts
    // A second rig of one test must not clear the first one's files.
    if (!existsSync(t.testdirName)) t.testdir()
    this.#directory = mkdtempSync(join(t.testdirName, 'agent-'))
    this.agent = this.#open()
    t.teardown(() => this.agent.stop())
  }

  /** Its agent is opened, and not started. */
  static opened(t: Test): AgentRig {
    return new AgentRig(t, new MemoryCatalog(), {})
  }

  static async start(
    t: Test,
    parts: Partial<AgentParts> = {},
    catalog = new MemoryCatalog(),
  ): Promise<AgentRig> {
    const rig = new AgentRig(t, catalog, parts)
    await rig.agent.start()
    await rig.agent.registered
    return rig
  }

  /** Ends the agent as `stop` does and starts another on its files. */
  async restart(between: () => void = () => {}): Promise<void> {
    await this.agent.stop()
    between()
    this.agent = this.#open()
    await this.agent.start()
    await this.agent.registered
  }

  /** Starts another agent on what the files hold now, as after kill -9. */
  kill(between: () => void = () => {}): Promise<void> {
    return this.restartOn(this.copyFiles(), between)
  }

  /** What the files hold at this moment: all that a power cut may leave of them. */
  copyFiles(): string {
    const directory = join(this.#directory, `copy${++this.#copies}`)
    mkdirSync(directory)
    for (const name of ['agent.db', 'agent.db-wal']) {
      const from = join(this.#directory, name)
      if (existsSync(from)) copyFileSync(from, join(directory, name))
    }
    return directory
  }

  async restartOn(directory: string, between: () => void = () => {}): Promise<void> {
    await this.agent.stop()
    this.#directory = directory
    between()
    this.agent = this.#open()
    await this.agent.start()
    await this.agent.registered
  }

  /** Resolves when `condition` holds; it is asked again after every proposal. */
  async until(condition: () => boolean): Promise<void> {
    // The agent's own timers do not keep a process alive, and a condition may never come.
    const signal = AbortSignal.timeout(20_000)
    const alive = setTimeout(() => {}, 20_000)
    try {
      while (!condition()) await once(this.#events, 'proposed', { signal })
    } finally {
      clearTimeout(alive)
    }
  }

  /** The status of a check in the catalog. */
  status(checkId: string): string | undefined {
    return this.catalog.reader.check('n1', checkId)?.status
  }

  /** What was proposed since the last call, by kind and subject. */
  takeProposed(): string[] {
    return this.proposed.splice(0).map(({ body }) => describe(body))
  }

  #open(): Agent {
    const store = new AgentStore<Omit<AgentCheckDefinition, 'check'>>(
      join(this.#directory, 'agent.db'),
      { onLost: (error) => this.#t.fail('agent.db lost a write', { error }) },
    )
    return new Agent({
      identity: this.identity,
      store,
      propose: (body, origin) => this.#propose(body, origin),
      read: (query) => query(this.catalog.reader),
      probe: probes({
        nodeName: 'n1',
        read: (query) => query(this.catalog.reader),
        scripts: { file: true, agent: false },
      }),
      clock: { monotonicMs: () => performance.now(), wallMs: () => this.wallMs },
      random: Math.random,
      logger: silentLogger,
      scripts: { file: true, agent: false },
      retryMsMin: 5,
      retryMsMax: 20,
      ...this.#parts,
    })
  }

  async #propose(body: CommandBody, origin: Origin): Promise<Outcome> {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    try {
      if (this.refusal !== undefined) throw this.refusal
      this.proposed.push({ body, origin })
      return must(this.catalog.apply(body).outcomes[0])
    } finally {
      setImmediate(() => this.#events.emit('proposed'))
    }
  }
}

function describe(body: CommandBody): string {
  if (body.kind === 'register') {
    const names = [body.node === undefined ? '' : 'node', body.service?.id ?? '']
    const checks = body.checks.map((check) => `${check.checkId}=${check.status}`)
    return ['register', ...names, ...checks].filter((part) => part !== '').join(' ')
  }
  if (body.kind === 'deregister') {
    return `deregister ${body.serviceId ?? body.checkId ?? 'node'}`
  }
  if (body.kind === 'update-check') return `${body.checkId}=${body.status}`
  return body.kind === 'batch' ? body.bodies.map(describe).join(', ') : body.kind
}

type HttpPlan = Extract<CheckPlan, { kind: 'http' }>

export function ttlCheck(
  checkId: string,
  ttlMs: number,
  rest: Partial<CheckDefinition> & { deregisterAfterMs?: number } = {},
): AgentCheckDefinition {
  const { deregisterAfterMs, ...check } = rest
  return runBy(checkId, { kind: 'ttl', ttlMs }, check, deregisterAfterMs)
}

export function httpCheck(
  checkId: string,
  plan: Pick<HttpPlan, 'url'> & Partial<HttpPlan>,
  rest: Partial<CheckDefinition> = {},
): AgentCheckDefinition {
  return runBy(
    checkId,
    {
      kind: 'http',
      method: 'GET',
      headers: {},
      body: '',
      intervalMs: 20,
      timeoutMs: 1000,
      tlsSkipVerify: false,
      tlsServerName: '',
      followRedirects: true,
      ...plan,
    },
    rest,
  )
}

function runBy(
  checkId: string,
  plan: CheckPlan,
  rest: Partial<CheckDefinition>,
  deregisterAfterMs = 0,
): AgentCheckDefinition {
  return {
    check: checkDefinition(checkId, {
      status: 'critical',
      serviceId: 'web',
      type: plan.kind,
      ...rest,
    }),
    owner: 'agent',
    plan,
    successBeforePassing: 0,
    failuresBeforeWarning: 0,
    failuresBeforeCritical: 0,
    deregisterAfterMs,
  }
}

const keep = { replaceExistingChecks: false }

export const web = (rest: Partial<ServiceDefinition> = {}): ServiceDefinition =>
  serviceDefinition('web', { owner: 'agent', port: 80, ...rest })

export function register(
  rig: AgentRig,
  checks: readonly AgentCheckDefinition[] = [],
  service = web(),
): Promise<ServiceRegistered> {
  return rig.agent.registerService({ service, checks }, keep, origin)
}

/** A service's health endpoint that answers with `code`, and counts. */
export async function endpoint(t: Test): Promise<{ url: string; code: number; asked: number }> {
  const state = { url: '', code: 200, asked: 0 }
  const server = http.createServer((_, res) => {
    state.asked++
    res.writeHead(state.code).end('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return state
}
