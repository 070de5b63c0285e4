import { must } from '../../src/base/assert.ts'
import { Authorizer } from '../../src/access/rules/authorizer.ts'
import { policyFrom } from '../../src/access/rules/policy.ts'
import { mustAllow, requesters } from '../../src/http/requesters.ts'
import { TokenBook } from '../../src/tokens/token-book.ts'
import { aclId, MemoryAcl, policyDefinition } from '../helpers/acl.ts'
import { median, table } from './report.ts'

const rounds = 5
const checks = 200_000
const policies = 20
const kinds = ['key_prefix', 'key', 'service', 'service_prefix', 'node'] as const

/** What a decision costs a token of 20 policies, and what its policies cost when they change. */
export async function benchAccess(): Promise<string> {
  const rows = [10, 100, 1000].map((rules) => {
    const texts = Array.from({ length: policies }, (_, at) => policyText(at, rules))
    const read = (): Authorizer =>
      new Authorizer(
        texts.map((text, at) => policyFrom(`p${at}`, text)),
        'deny',
      )
    const authorizer = read()
    const names = Array.from({ length: 4096 }, (_, at) => `app/team-${at % 61}/service-${at}/a`)
    const check = requestCheck(texts)
    const cost = (work: (name: string) => void, times = checks): number =>
      median(Array.from({ length: rounds }, () => cpuMicroseconds(work, names, times) / times))
    return [
      `${policies} × ${rules}`,
      cost((name) => void authorizer.allows('key', name, 'read')).toFixed(2),
      cost((name) => void authorizer.allows('service', name, 'write')).toFixed(2),
      cost((name) => void authorizer.allows('key', name, 'write-prefix')).toFixed(2),
      cost(check).toFixed(2),
      (cost(() => void read(), 5) / 1000).toFixed(1),
    ]
  })
  const columns = ['policies × rules', 'key read, µs CPU', 'service write', 'key write-prefix']
  return table(
    'Decisions of access control',
    [...columns, 'request with a known token', 'policies read and merged, ms CPU'],
    rows,
  )
}

/** What is checked of a request: whose secret it bears, and whether that token may read a key. */
function requestCheck(texts: readonly string[]): (name: string) => void {
  const acl = new MemoryAcl()
  for (const [at, rules] of texts.entries()) {
    acl.policy(at, policyDefinition(`p${at}`, { rules: `${rules}\n${readsAll}` }))
  }
  acl.token(1, { policies: texts.map((_, at) => aclId(at)) })
  const changed = new Int32Array(new SharedArrayBuffer(4))
  const tokens = new TokenBook(
    { isEnabled: true, defaultPolicy: 'deny', defaultSecret: undefined },
    {
      state: {
        read: (query) => query(acl.reader),
        version: () => Atomics.load(changed, 0),
        waitForChange: () => ({ ended: Promise.resolve(), end: () => {} }),
      },
      datacenter: 'dc1',
      nodeName: 'n1',
      clock: { wallMs: () => Date.now() },
      logger: silent,
    },
  )
  const { requesterOf } = requesters(tokens, alone)
  type Asked = Parameters<typeof requesterOf>[0]
  const headers = { 'x-consul-token': 'secret-1' }
  return (name) => {
    const request: Partial<Asked> = { query: {}, headers }
    mustAllow(requesterOf(request as Asked), { resource: 'key', name, access: 'read' })
  }
}

/** Of names without a rule of their own. */
const readsAll = 'key_prefix "" { policy = "read" }'

/** A lone server knows all tokens. */
const alone = {
  barrier: () => Promise.resolve(),
  leader: () => '127.0.0.1:8300',
  isAlone: () => true,
  outOfService: () => undefined,
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function cpuMicroseconds(
  work: (name: string) => void,
  names: readonly string[],
  times: number,
): number {
  const before = process.cpuUsage()
  for (let at = 0; at < times; at++) work(must(names[at % names.length]))
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Prefixes that cover each other, and names next to each other. */
function policyText(policy: number, rules: number): string {
  const lines = Array.from({ length: rules }, (_, at) => {
    const kind = must(kinds[at % kinds.length])
    const depth = [
      'app/',
      `app/team-${at % 61}/`,
      `app/team-${at % 61}/service-${at * 7 + policy}/`,
    ]
    return `${kind} "${must(depth[(at + policy) % depth.length])}" { policy = "${at % 3 === 0 ? 'read' : 'write'}" }`
  })
  return lines.join('\n')
}
