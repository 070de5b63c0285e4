import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { errorTable } from '../src/base/errors.ts'
import { AgentProcess } from './helpers/agent-process.ts'
import { patterns } from './prose/patterns.ts'
import { sourcePassages } from './prose/source-passages.ts'
import {
  complaints,
  findings,
  markdownPassages,
  patternComplaints,
  type Passage,
} from './prose/texts.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
}

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...filesIn('docs', '.md'),
  ...filesIn('packaging', '.md'),
  ...filesIn('src', '.md'),
  'test/bench/RESULTS.md',
]

function report(t: Test, passages: readonly Passage[], judge = complaints): void {
  for (const { place, why, sentence } of findings(passages, judge)) {
    t.fail(`${place}: ${why}`, { sentence })
  }
  t.ok(passages.length > 0, `${passages.length} passages`)
}

t.test('each pattern finds its bad sentence, and no pattern finds a good one', async (t) => {
  for (const { find, bad, good } of patterns) {
    t.ok(complaints(bad).length > 0, `${String(find)} finds "${bad}"`)
    t.strictSame(complaints(good), [], `"${good}" is good`)
  }
  t.strictSame(complaints('There is no leader. The agent is no longer a member.'), [])
  t.ok(complaints(`It ${'waits and '.repeat(20)}waits.`).length > 0, 'a long sentence is found')
})

t.test('the pages are easy to read', async (t) => {
  t.ok(pages.length > 20)
  for (const path of pages) report(t, markdownPassages(path, read(path)))
})

// docs/cli.md holds the help in code blocks, which the pages' test leaves out.
t.test('the help of the commands is easy to read', async (t) => {
  report(
    t,
    read('docs/cli.md')
      .split('\n')
      .map((text, index) => ({ place: `docs/cli.md:${index + 1}`, text: text.trim() }))
      .filter(({ text }) => text !== '' && !text.startsWith('```')),
  )
})

t.test('the error texts are easy to read', async (t) => {
  report(
    t,
    Object.entries(errorTable).map(([code, { text }]) => ({ place: code, text })),
  )
})

t.test('the help of the metrics is easy to read', async (t) => {
  const agent = await AgentProcess.start()
  t.teardown(async () => agent.stop())
  const answer = await fetch(`http://127.0.0.1:${agent.httpPort}/metrics`)
  const help = [...(await answer.text()).matchAll(/^# HELP (\S+) (.+)$/gm)]
  t.ok(help.length > 50)
  report(
    t,
    help.map(([, place = '', text = '']) => ({ place, text })),
  )
})

t.test('the comments and messages of the source are easy to read', async (t) => {
  const sources = [...filesIn('src', '.ts'), ...filesIn('src', '.tsx'), ...filesIn('bin', '.js')]
  t.ok(sources.length > 200)
  const found = sources.map((path) => sourcePassages(path, read(path)))
  report(
    t,
    found.flatMap(({ comments }) => comments),
  )
  report(
    t,
    found.flatMap(({ literals }) => literals),
    patternComplaints,
  )
})
