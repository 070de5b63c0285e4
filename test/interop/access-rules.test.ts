import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { Test } from 'tap'
import { globalManagement } from '../../src/access/rules/built-in.ts'
import { nodeIdentityRules, serviceIdentityRules } from '../../src/access/rules/identities.ts'
import { ruleCase } from '../helpers/access-rules.ts'
import type { Ask, RuleCase } from '../helpers/access-rules.ts'
import {
  asBits,
  decisionsFile,
  decisionsOf,
  hashOf,
  storedDecisions,
} from '../helpers/consul-decisions.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// A real Consul as the judge of what rules mean.

const skip = missing('consul')
const cases = 115
const secret = '5ec4e700-0000-4000-8000-000000000001'

class Oracle {
  readonly #url: string
  #policies = 0

  private constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`
  }

  static async start(t: Test, defaultPolicy: 'allow' | 'deny'): Promise<Oracle> {
    const [http = 0, server = 0, lan = 0, wan = 0] = await freePorts(4)
    const ports = `http = ${http} dns = -1 grpc = -1 server = ${server} serf_lan = ${lan} serf_wan = ${wan}`
    const acl = `enabled = true default_policy = "${defaultPolicy}" tokens { master = "${secret}" }`
    const hcl = `acl { ${acl} } ports { ${ports} } connect { enabled = false }`
    const env = { ...process.env, CHECKPOINT_DISABLE: '1' }
    const words = ['agent', '-dev', '-bind=127.0.0.1', '-client=127.0.0.1', '-hcl', hcl]
    const child = spawn('consul', words, { stdio: 'ignore', env })
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
    })
    t.teardown(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const oracle = new Oracle(http)
    await until('Consul is ready', 60_000, () => oracle.#isReady())
    return oracle
  }

  /** What a token of these policies may do. */
  async decide({ policies, asks }: RuleCase): Promise<string> {
    const ids: { readonly ID: string }[] = []
    for (const { text } of policies) {
      const { ID } = await this.ask<{ ID: string }>('PUT', 'acl/policy', {
        // Merging changes the rules that Consul keeps of a policy, so each is used once.
        Name: `p${this.#policies++}`,
        Rules: text,
      })
      ids.push({ ID })
    }
    return this.decideFor({ Policies: ids }, asks)
  }

  async decideFor(token: object, asks: readonly Ask[]): Promise<string> {
    const { SecretID } = await this.ask<{ SecretID: string }>('PUT', 'acl/token', token)
    const body = asks.map(({ resource, name, access }) => ({
      Resource: resource,
      Segment: name,
      Access: access,
    }))
    const path = 'internal/acl/authorize'
    const answers = await this.ask<{ Allow: boolean }[]>('POST', path, body, SecretID)
    return asBits(answers.map(({ Allow }) => Allow))
  }

  async ask<T>(method: string, path: string, body?: object, token = secret): Promise<T> {
    const response = await fetch(`${this.#url}/v1/${path}`, {
      method,
      headers: { 'X-Consul-Token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} ${JSON.stringify(body)}: ${text}`)
    return JSON.parse(text) as T
  }

  /** Throws until Consul leads and has written its policies. */
  async #isReady(): Promise<boolean> {
    const policy = `acl/policy/${globalManagement.id}`
    const { Rules } = await this.ask<{ Rules: string }>('GET', policy)
    return Rules !== ''
  }
}

t.test(
  'Consul decides the same about generated policies',
  { skip, timeout: 180_000 },
  async (t) => {
    const [deny, allow] = [await Oracle.start(t, 'deny'), await Oracle.start(t, 'allow')]
    const decided = []
    for (let seed = 1; seed <= cases; seed++) {
      const made = ruleCase(seed)
      const answers = { deny: await deny.decide(made), allow: await allow.decide(made) }
      t.equal(decisionsOf(made, 'deny'), answers.deny, `case ${seed}, deny by default`)
      t.equal(decisionsOf(made, 'allow'), answers.allow, `case ${seed}, allow by default`)
      decided.push({ seed, hash: hashOf(made), ...answers })
    }
    const { Config } = await deny.ask<{ Config: { Version: string } }>('GET', 'agent/self')
    if (process.env['REWRITE'] === '1') {
      const lines = decided.map((each) => `    ${JSON.stringify(each)}`).join(',\n')
      writeFileSync(
        decisionsFile,
        `{\n  "consul": "${Config.Version}",\n  "cases": [\n${lines}\n  ]\n}\n`,
      )
    }
    t.strictSame(storedDecisions().cases, decided, 'as it is stored')

    const { Rules } = await deny.ask<{ Rules: string }>('GET', `acl/policy/${globalManagement.id}`)
    const older = globalManagement.rules.replace('\nmesh = "write"\npeering = "write"', '')
    t.equal(Rules, older, 'the text of global-management')

    const names = ['web', 'web-sidecar-proxy', 'web-1', 'n1', 'n2', 'n1-sidecar-proxy', '']
    const asks = (['service', 'node', 'intention', 'session', 'agent', 'key'] as const).flatMap(
      (resource) =>
        names.flatMap((name): Ask[] => [
          { resource, name, access: 'read' },
          { resource, name, access: 'write' },
        ]),
    )
    for (const [some, token] of [
      [asks.slice(0, 64), { ServiceIdentities: [{ ServiceName: 'web' }] }],
      [asks.slice(0, 64), { NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }] }],
    ] as const) {
      const text = 'NodeIdentities' in token ? nodeIdentityRules('n1') : serviceIdentityRules('web')
      const made = { policies: [{ rules: [], text }], asks: some }
      t.equal(decisionsOf(made, 'deny'), await deny.decideFor(token, some), 'an identity')
    }
  },
)
