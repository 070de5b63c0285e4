import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// The files that a user gives to Prometheus and Grafana, held against a real agent and against promtool.

const run = promisify(execFile)
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const read = (path: string): string => readFileSync(at(path), 'utf8')

const rulesPath = 'packaging/monitoring/svcd-rules.yml'
const rules = read(rulesPath)
const alerts = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name)
const ruleExpressions = [...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, text = '']) => text)

interface Panel {
  readonly id: number
  readonly title: string
  readonly datasource: { readonly uid: string }
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets: readonly {
    readonly expr: string
    readonly datasource: { readonly uid: string }
  }[]
}

interface Variable {
  readonly name: string
  readonly type: string
  readonly definition?: string
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

const dashboard = JSON.parse(read('packaging/monitoring/svcd-dashboard.json')) as Dashboard
const targets = dashboard.panels.flatMap((panel) => panel.targets)
const variables = dashboard.templating.list
const expressions = [
  ...ruleExpressions,
  ...targets.map(({ expr }) => expr),
  ...variables.flatMap(({ definition }) => definition ?? []),
]

/** The labels of each series name of an exposition. */
function labelsByName(exposition: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of exposition.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const names = found.get(name) ?? new Set()
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) names.add(label)
    found.set(name, names)
  }
  return found
}

/** What Prometheus adds to every series. */
const added = ['job', 'instance']

t.test('the rules and the dashboard use metrics and labels that an agent has', async (t) => {
  const directory = t.testdir()
  const files = writeCredentials(directory, 'https', leaf(authority()))
  const https = [`-https-cert-file=${files.cert}`, `-https-key-file=${files.key}`]
  const audit = `-audit-log=${directory}/audit.log`
  const args = ['-dev', '-log-level=warn', '-https-port=0', ...https, audit]
  const agent = await AgentProcess.start({ args })
  t.teardown(() => agent.stop())
  const exposition = async (): Promise<string> => (await fetch(`${agent.httpUrl}/metrics`)).text()
  // Pauses of the collector, for one, are there from the first one on.
  await until('the disk is measured', 10_000, async () =>
    (await exposition()).includes('svcd_disk_free_bytes '),
  )
  const series = labelsByName(await exposition())
  const used = new Set<string>()
  for (const expression of expressions) {
    const words = expression.matchAll(/\b((?:svcd|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)
    for (const [, name = '', selector = ''] of words) {
      used.add(name)
      const labels = series.get(name)
      if (labels === undefined) {
        t.fail(`no agent has ${name}`, { expression })
        continue
      }
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*=/g)) {
        t.ok(labels.has(label) || added.includes(label), `${name} has the label ${label}`)
      }
    }
    for (const [, list = ''] of expression.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(/,\s*/)) {
        const isKnown = [...series.values()].some((labels) => labels.has(label))
        t.ok(isKnown || added.includes(label), `${label} is the label of a metric`, { expression })
      }
    }
  }
  t.ok(used.size > 25, `${used.size} metrics are used`)
})

t.test('docs/monitoring.md explains every alert, and no other', async (t) => {
  const page = read('docs/monitoring.md')
  const named = new Set([...page.matchAll(/`(Svcd\w+)`/g)].map(([, name = '']) => name))
  t.ok(alerts.length > 20)
  t.strictSame([...named].toSorted(), alerts.toSorted())
})

t.test('promtool accepts the rules', { skip: missing('promtool') }, async (t) => {
  const { stdout } = await run('promtool', ['check', 'rules', at(rulesPath)])
  t.match(stdout, `${alerts.length} rules found`)
})

t.test(
  'the rules fire when they should, and not before',
  { skip: missing('promtool') },
  async (t) => {
    const { stdout } = await run('promtool', [
      'test',
      'rules',
      at('test/packaging/svcd-rules.test.yml'),
    ])
    t.match(stdout, /SUCCESS/)
  },
)

t.test('the dashboard names no data source, and its panels do not overlap', async (t) => {
  const { panels } = dashboard
  t.match(variables, [{ name: 'datasource', type: 'datasource' }, {}, {}])
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const { datasource } of [...panels, ...targets]) t.equal(datasource.uid, '${datasource}')
  const taken = new Map<string, string>()
  for (const { title, gridPos } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        const cell = `${x},${y}`
        if (taken.has(cell)) t.fail(`${title} lies over ${taken.get(cell)}`)
        taken.set(cell, title)
      }
    }
    t.ok(gridPos.x + gridPos.w <= 24, `${title} fits into 24 columns`)
  }
})
