import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { DnsAsker } from '../helpers/dns-asker.ts'
import {
  allRules,
  anyDeny,
  anyRules,
  largeDeny,
  naive,
  nameOf,
  suffixes,
  textOf,
} from '../helpers/plain-rules.ts'
import type { PlainRule } from '../helpers/plain-rules.ts'
import { requestsOf } from '../helpers/access-requests.ts'
import { questions, shownByDns } from '../api/access/fuzz-dns-cases.ts'
import { instanceBody, lowerSuffixes, nodeBody } from '../api/access/fuzz-world.ts'

const root = '11111111-0000-4000-8000-000000000000'

/** An agent with access control, and requests to it with all rights. */
class GuardedAgent {
  readonly agent: AgentProcess

  private constructor(agent: AgentProcess) {
    this.agent = agent
  }

  static async start(directory: string): Promise<GuardedAgent> {
    const path = join(directory, 'agent.json')
    const acl = { enabled: true, default_policy: 'deny', tokens: { initial_management: root } }
    writeFileSync(path, JSON.stringify({ acl }))
    const args = ['-dev', '-node=n1', '-dns-threads=1', `-config-file=${path}`]
    return new GuardedAgent(await AgentProcess.start({ args }))
  }

  async put(path: string, body: unknown): Promise<Record<string, string>> {
    const response = await fetch(`${this.agent.httpUrl}/v1/${path}`, {
      method: 'PUT',
      headers: { 'x-consul-token': root },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as Record<string, string>
  }

  async seed(): Promise<void> {
    for (const suffix of lowerSuffixes) {
      const node = nameOf('node', suffix)
      await this.put('catalog/register', nodeBody(node))
      for (const each of suffixes) {
        await this.put('catalog/register', instanceBody(node, nameOf('service', each)))
      }
    }
    for (const at of [0, 1]) {
      await this.put('catalog/register', { Node: `fence-${at}`, Address: '10.9.9.9' })
    }
  }
}

t.test(
  'DNS over UDP shows what the rules of its token allow, and no more after a deny',
  { timeout: 600_000 },
  async (t) => {
    const guarded = await GuardedAgent.start(t.testdir())
    t.teardown(() => guarded.agent.stop())
    await guarded.seed()
    const asker = await DnsAsker.open(t, guarded.agent.dnsPort)
    const { ID } = await guarded.put('acl/policy', { Name: 'dns' })
    const { SecretID } = await guarded.put('acl/token', { Policies: [{ ID }] })
    await guarded.put('agent/token/dns', { Token: SecretID })
    let [asked, changes, shown] = [0, 0, 0]
    /** Gives the token these rules. DNS has taken them when it shows one fence and not the other. */
    const allow = async (rules: readonly PlainRule[]): Promise<void> => {
      const at = ++changes % 2
      // A policy has one rule of each name: of several the strongest, as policies are merged.
      const fence = `node "fence-${at}" { policy = "read" } node "fence-${1 - at}" { policy = "deny" }`
      const Rules = [...strongest(rules).map(textOf), fence].join('\n')
      await guarded.put(`acl/policy/${ID}`, { ID, Name: 'dns', Rules })
      const has = async (which: number): Promise<boolean> =>
        (await asker.ask(`fence-${which}.node.consul`)).answer.length > 0
      while (!(await has(at)) || (await has(1 - at)));
    }
    const property = fc.asyncProperty(anyRules, anyDeny, async (rules, deny) => {
      const wide = new Set<string>()
      for (const [at, each] of [rules, [...rules, deny]].entries()) {
        await allow(each)
        const may = naive(each, false)
        for (const question of questions) {
          asked++
          const reply = await asker.ask(question.name, question.type)
          // What is left of an answer that was cut says nothing of the others.
          const isCut = reply.flags.includes('tc')
          for (const { text, isAllowed } of shownByDns(question, reply, may)) {
            const what = `${question.name} ${question.type}: ${text}`
            if (!isAllowed) throw new Error(`DNS shows ${what}`)
            if (at === 0) wide.add(what)
            else if (!isCut && !wide.has(what)) throw new Error(`a deny made DNS show ${what}`)
            shown++
          }
        }
      }
    })
    const numRuns = Math.max(3, Math.ceil(requestsOf('socket') / 2 / questions.length))
    await fc.assert(property, { numRuns, endOnFailure: true, examples: [[allRules, largeDeny]] })
    t.ok(shown > 0, `${shown} things are shown by ${asked} queries`)
  },
)

function strongest(rules: readonly PlainRule[]): readonly PlainRule[] {
  const order = ['deny', 'write', 'list', 'read']
  const best = new Map<string, PlainRule>()
  for (const rule of rules) {
    const key = `${rule.kind} ${rule.isPrefix} ${rule.name}`
    const known = best.get(key)
    if (known === undefined || order.indexOf(rule.level) < order.indexOf(known.level)) {
      best.set(key, rule)
    }
  }
  return [...best.values()]
}
