import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { benchAccess } from './access-decisions.bench.ts'
import { benchAccessDns } from './access-dns.bench.ts'
import { benchAccessBefore, benchAccessHttp } from './access-http.bench.ts'
import { benchHttps } from './access-https.bench.ts'
import { benchBlocking, benchHealthService } from './blocking.bench.ts'
import { benchLists } from './lists.bench.ts'
import {
  benchBigCluster,
  benchClusterWrites,
  benchFailover,
  benchSilence,
  benchVisible,
} from './cluster.bench.ts'
import { benchDnsLarge } from './dns-large.bench.ts'
import {
  benchDnsDgram,
  benchDnsFlood,
  benchDnsLatency,
  benchDnsPeers,
  benchDnsRrl,
} from './dns-peers.bench.ts'
import { benchDnsTransports } from './dns-transports.bench.ts'
import { benchCold, benchKv } from './cluster-etcd.bench.ts'
import { benchHandover, benchSessions, benchTransactions } from './cluster-store.bench.ts'
import { benchDnsQuery } from './dns-query.bench.ts'
import { benchDnsMiss, benchDnsScale } from './dns-scale.bench.ts'
import { benchKvBeside } from './kv-beside.bench.ts'
import { benchClusterReads } from './cluster-reads.bench.ts'
import { benchChurn } from './churn.bench.ts'
import { benchCalm } from './cluster-calm.bench.ts'
import { benchRestore } from './cluster-restore.bench.ts'
import { benchDns } from './dns.bench.ts'
import { benchMemory } from './memory.bench.ts'
import { versionOf } from './peers.ts'
import { benchRaft } from './raft.bench.ts'
import { benchRecursion, benchRecursionBeside, benchRecursionCold } from './recursion.bench.ts'
import { benchRegistrations } from './registrations.bench.ts'
import { benchUi } from './ui.bench.ts'

// npm run bench [-- NAME …]: runs the benches, prints them, and with --write puts them into RESULTS.md.

const benches: Readonly<Record<string, () => Promise<string>>> = {
  registrations: benchRegistrations,
  ui: benchUi,
  dns: benchDns,
  'dns-peers': benchDnsPeers,
  'dns-peers-flood': benchDnsFlood,
  'dns-peers-latency': benchDnsLatency,
  'dns-peers-dgram': benchDnsDgram,
  'dns-peers-large': benchDnsLarge,
  'dns-rrl': benchDnsRrl,
  'dns-scale': benchDnsScale,
  'dns-scale-miss': benchDnsMiss,
  'dns-query': benchDnsQuery,
  'dns-transports': benchDnsTransports,
  recursion: benchRecursion,
  'recursion-cold': benchRecursionCold,
  'recursion-beside': benchRecursionBeside,
  memory: benchMemory,
  blocking: benchBlocking,
  'blocking-reads': benchHealthService,
  'blocking-lists': benchLists,
  'cluster-writes': benchClusterWrites,
  'cluster-cold': benchCold,
  'cluster-kv': benchKv,
  'kv-beside': benchKvBeside,
  'cluster-sessions': benchSessions,
  'cluster-handover': benchHandover,
  'cluster-txn': benchTransactions,
  'cluster-reads': benchClusterReads,
  'cluster-failover': benchFailover,
  'cluster-silence': benchSilence,
  'cluster-visible': benchVisible,
  'cluster-big': benchBigCluster,
  'cluster-calm': benchCalm,
  'cluster-restore': benchRestore,
  raft: benchRaft,
  'access-decisions': benchAccess,
  'access-http': benchAccessHttp,
  'access-dns': benchAccessDns,
  'access-https': benchHttps,
  'access-before': benchAccessBefore,
  churn: benchChurn,
}

const words = process.argv.slice(2)
const write = words.includes('--write')
const names = words.filter((word) => !word.startsWith('--'))
// A name stands for all that begin with it: `cluster` for every part of it.
const isAsked = (bench: string): boolean =>
  names.length === 0 || names.some((name) => bench === name || bench.startsWith(`${name}-`))
const unknown = names.find(
  (name) => !Object.keys(benches).some((bench) => bench === name || bench.startsWith(`${name}-`)),
)
if (unknown !== undefined) refuse(`no bench ${unknown}`)
const option = words.find((word) => word.startsWith('--') && word !== '--write')
if (option !== undefined) refuse(`no option ${option}: npm run bench -- [--write] [NAME …]`)

const head = [
  `Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}; the load comes from the same machine.`,
  `Peers on PATH: ${peers().join(', ')}.\n`,
].join('\n')
process.stdout.write(`${head}\n`)
const measured = new Map<string, string>()
for (const [name, bench] of Object.entries(benches)) {
  if (!isAsked(name)) continue
  const text = await bench()
  process.stdout.write(`${text}\n`)
  measured.set(name, text)
}
if (write) {
  const file = 'test/bench/RESULTS.md'
  const marker = '<!-- figures: written by npm run bench -- --write -->'
  const [before = '', figures = ''] = readFileSync(file, 'utf8').split(marker)
  // What was not run now stays as it was measured last.
  const kept = new Map([...sectionsOf(figures), ...measured])
  const sections = Object.keys(benches)
    .filter((name) => kept.has(name))
    .map((name) => `<!-- bench: ${name} -->\n\n${(kept.get(name) ?? '').trim()}\n`)
  writeFileSync(file, `${before}${marker}\n\n${[head, ...sections].join('\n')}`)
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}; the benches are: ${Object.keys(benches).join(', ')}\n`)
  process.exit(1)
}

function sectionsOf(text: string): Map<string, string> {
  const [, ...sections] = text.split('<!-- bench: ')
  return new Map(
    sections.map((section) => {
      const [name = '', ...rest] = section.split(' -->')
      return [name, rest.join(' -->')]
    }),
  )
}

function peers(): string[] {
  const found = [
    versionOf('consul'),
    versionOf('etcd', '--version'),
    versionOf('knotd', '--version'),
    versionOf('nsd'),
  ]
  return ['Consul', 'etcd', 'Knot', 'NSD'].map((name, at) => found[at] ?? `no ${name}`)
}
