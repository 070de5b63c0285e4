import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { must } from '../src/base/assert.ts'
import { endpoints } from '../src/api/endpoints/families.ts'
import { commands } from '../src/cli/commands.ts'

// The pages say what svcd does not have, and explain its messages. Neither may be of an earlier time.

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
}

/** The text below a heading, up to the next one of any level. */
function section(path: string, heading: string): string {
  const [, after = ''] = read(path).split(`\n${heading}\n`)
  t.ok(after !== '', `${path} has "${heading}"`)
  return must(after.split(/^#/m)[0])
}

const movingPage = 'docs/moving-from-consul.md'

/** The first cells of the rows of its tables whose last cell is `last`. */
function rowsThatEndIn(last: string): readonly string[] {
  return [...read(movingPage).matchAll(/^\| (.*) \| (.*) \|$/gm)]
    .filter(([, , cell = '']) => cell === last)
    .map(([, cell = '']) => cell)
}

function codeIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

const isBuilt = (start: string): boolean =>
  endpoints.some(({ path }) => path === start || path.startsWith(`${start}/`))

/** What a list of missing features would say, by the endpoints of the feature. */
const features = [
  { start: '/v1/kv', words: /\bkeys\b|\bkey\/value\b/i },
  { start: '/v1/session', words: /\bsessions?\b|\blocks?\b/i },
  { start: '/v1/txn', words: /\btransactions?\b/i },
  { start: '/v1/event', words: /\bevents?\b/i },
  { start: '/v1/query', words: /\bprepared quer(?:y|ies)\b/i },
  { start: '/v1/connect/intentions', words: /\bintentions?\b/i },
  { start: '/v1/acl', words: /\baccess control\b|\bACLs?\b/i },
]

const lists = [
  ['README.md', '## Not supported yet'],
  ['docs/faq.md', '### What is missing compared to Consul?'],
  [movingPage, '## What svcd does not have'],
] as const

for (const [path, heading] of lists) {
  t.test(`${path} does not call a feature missing that svcd has`, async (t) => {
    // The second cell of a table says what to do instead.
    const missing = section(path, heading).replaceAll(/^(\| .*?) \| .*/gm, '$1')
    for (const { start, words } of features) {
      t.equal(words.test(missing), !isBuilt(start), `${start}: ${String(words)}`)
    }
  })
}

t.test('what the page about Consul calls missing, is missing', async (t) => {
  const [paths = ''] = rowsThatEndIn('501')
  t.ok(codeIn(paths).length > 5)
  for (const path of codeIn(paths)) t.notOk(isBuilt(`/v1/${path}`), path)
  const [words = ''] = rowsThatEndIn('none')
  t.ok(codeIn(words).length > 5)
  for (const word of codeIn(words)) {
    const found = Object.keys(commands).filter((name) => name.split(' ')[0] === word)
    t.strictSame(found, [], `svcd ${word}`)
  }
})

t.test('the README can be read in three minutes', async (t) => {
  const words = read('README.md').split(/\s+/).filter(Boolean)
  t.ok(words.length <= 900, `${words.length} words`)
})

/** All literals of the source: the parts of a text that is split over lines are joined. */
function sourceTexts(): string {
  const folder = fileURLToPath(new URL('../src/', import.meta.url))
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
    .replaceAll(/['`] \+\s*['`]/g, '')
    .replaceAll("\\'", "'")
}

t.test('svcd has the messages that the page on troubleshooting explains', async (t) => {
  const tables = read('docs/troubleshooting.md').matchAll(
    /^\| (?:message|text) \|.*\n((?:\|.*\n)+)/gm,
  )
  const cells = [...tables].flatMap(([, rows = '']) =>
    rows.split('\n').map((row) => row.split(' | ')[0] ?? ''),
  )
  const messages = cells.flatMap((cell) => codeIn(cell))
  t.ok(messages.length > 30)
  const texts = sourceTexts()
  for (const message of messages) {
    // Without what stands for a value.
    const fixed = message.split(
      /…|"[^"]*"|'[^']*'|\b[A-Z]\b|\b(?:FILE|LINE|PUT|better-sqlite3)\b|\b\d+(?:\.\d+)*\b| -[a-z-]+|\b\w+\.db\b|: /,
    )
    for (const part of fixed.map((text) => text.trim()).filter((text) => text.length > 8)) {
      t.ok(texts.includes(part), `${message}: ${part}`)
    }
  }
})
