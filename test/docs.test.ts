import { execFile } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { errorTable } from '../src/base/errors.ts'
import { optionsPage } from '../src/config/options-page.ts'
import { AgentProcess, svcdBin } from './helpers/agent-process.ts'
import { cliPage } from './helpers/cli-page.ts'
import { commandFault, docCommands } from './helpers/doc-commands.ts'
import { manPage } from './helpers/man-page.ts'
import { blocksOf, examplesOf, shape, type Example } from './helpers/page-blocks.ts'
import { missing } from './helpers/tools.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'packaging/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

function read(path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
}

/** The page as it should be; REWRITE=1 writes it. */
function page(path: string, text: string): string {
  if (process.env['REWRITE'] === '1') writeFileSync(join(root, path), text)
  return text
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, row]) =>
      `| \`${code}\` | ${row.http} | ${row.exit} | ${row.text.replaceAll('|', '\\|').replaceAll('\n', '<br>')} |`,
  )
  return `# Errors

This page lists every error that svcd reports, for people who run it and for authors of clients. It is generated from
\`src/base/errors/\`.

- Over HTTP, an error is a response with the status in the table and the text as its body.
- The CLI prints \`svcd: \` and the text to standard error. It exits with 1 if the request was refused or failed, and
  with 2 if it could not reach an agent or a DNS server.

\`{x}\` stands for a value. The texts that Consul's clients match on are the same as in Consul.

| code | HTTP | exit | text |
|---|---|---|---|
${rows.join('\n')}
`
}

t.test('docs/errors.md and the error table are the same', async (t) => {
  const wanted = page('docs/errors.md', errorsPage())
  t.equal(read('docs/errors.md'), wanted)
})

t.test('docs/config.md and the options table are the same', async (t) => {
  const wanted = page('docs/config.md', optionsPage())
  t.equal(read('docs/config.md'), wanted)
})

t.test("docs/cli.md is the commands' help", async (t) => {
  const wanted = page('docs/cli.md', await cliPage())
  t.equal(read('docs/cli.md'), wanted)
})

t.test("man/svcd.1 is the commands' help, and man reads it", async (t) => {
  const wanted = page('man/svcd.1', await manPage())
  t.equal(read('man/svcd.1'), wanted)
  if (missing('groff') !== false) return
  const warnings = await sh(
    `groff -man -Tascii -ww "${join(root, 'man/svcd.1')}" 2>&1 >/dev/null`,
    {
      ...process.env,
    },
  )
  t.equal(warnings, '')
})

/** The tables of a page, each as its lines: a line that begins with a bar, up to one that does not. */
function tables(markdown: string): readonly (readonly string[])[] {
  const outsideCode = markdown.replaceAll(/^```[^]*?^```$/gm, '')
  return [...outsideCode.matchAll(/(?:^\|.*(?:\n|$))+/gm)].map(([text]) =>
    text.trimEnd().split('\n'),
  )
}

function cellCount(row: string): number {
  return row.split(/(?<!\\)\|/).length - 2
}

t.test('each row of a table is one line, with a cell for each column', async (t) => {
  for (const path of pages) {
    for (const [head = '', rule = '', ...rows] of tables(read(path))) {
      const place = `${path}: ${head}`
      t.match(rule, /^\|(?: *:?-+:? *\|)+$/, `${place} begins a table`)
      for (const row of [head, ...rows]) {
        if (row.endsWith('|') && cellCount(row) === cellCount(rule)) continue
        t.fail(`${place} has a broken row`, { row })
      }
    }
  }
})

/** Where links can lead inside a page: to its headings, as GitHub names them, and to `<a id>`. */
function anchors(markdown: string): ReadonlySet<string> {
  const outsideCode = markdown.replaceAll(/^```[^]*?^```$/gm, '')
  const headings = [...outsideCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
  const named = [...outsideCode.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)
  return new Set([...headings, ...named])
}

t.test('every link to a part of a page leads to an anchor', async (t) => {
  for (const path of pages) {
    const links = read(path).matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)
    for (const [, file = '', anchor = ''] of links) {
      const target = file === '' ? path : join(path, '..', file)
      t.ok(anchors(read(target)).has(anchor), `${path} → ${file}#${anchor}`)
    }
  }
})

t.test('every relative link leads to a file', async (t) => {
  for (const path of pages) {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(
      ([, link = '']) => link,
    )
    for (const link of links) t.ok(existsSync(join(root, path, '..', link)), `${path} → ${link}`)
  }
})

/** The pages whose console blocks are run, each with an agent as `npm start` runs it. */
const pagesToRun = [
  'README.md',
  'docs/concepts.md',
  'docs/dns.md',
  'docs/checks.md',
  'docs/kv.md',
  'docs/events.md',
  'docs/locks.md',
  'docs/prepared-queries.md',
  'docs/intentions.md',
  'docs/tls.md',
]

function examples(path: string): readonly Example[] {
  return blocksOf(read(path))
    .filter(({ language }) => language === 'console')
    .flatMap((block) => examplesOf(block))
}

t.test('the README has commands to run', async (t) => {
  const [first, ...more] = examples('README.md')
  t.equal(first?.command, 'npm start')
  t.ok(more.length > 5)
})

for (const path of pagesToRun) {
  t.test(`the commands of ${path} print what it says`, (t) => runPage(t, path))
}

async function runPage(t: Test, path: string): Promise<void> {
  const agent = await AgentProcess.start({ args: ['-dev', '-sample', '-node', 'n1'] })
  t.teardown(async () => agent.stop())
  await agent.until('/heal\n')
  const bin = t.testdir({ svcd: `#!/bin/sh\nexec "${process.execPath}" "${svcdBin}" "$@"\n` })
  chmodSync(join(bin, 'svcd'), 0o755)
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    SVCD_HTTP_ADDR: `127.0.0.1:${agent.httpPort}`,
    SVCD_DNS_ADDR: `127.0.0.1:${agent.dnsPort}`,
  }
  const withPorts = (text: string): string =>
    text.replaceAll('8500', String(agent.httpPort)).replaceAll('8600', String(agent.dnsPort))

  for (const { command, output } of examples(path)) {
    if (command === 'npm start') {
      const printed = agent.output.replaceAll(/^\d{4}-\d\d-\d\dT.*\n/gm, '')
      t.strictSame(shape(printed), shape(output), command)
      continue
    }
    const program = command.split(' ')[0] ?? ''
    await t.test(command, { skip: program === 'svcd' ? false : missing(program) }, async (t) => {
      const printed = await sh(withPorts(command), env, path === 'docs/tls.md' ? bin : root)
      t.strictSame(shape(printed), shape(withPorts(output)))
    })
  }

  const script = blocksOf(read(path)).find(({ language }) => language === 'js')
  if (script === undefined) return
  const file = join(bin, 'srv.mjs')
  writeFileSync(file, withPorts(script.text))
  const lines = (await sh(`"${process.execPath}" "${file}"`, env)).trim().split('\n')
  t.equal(lines.length, 2, 'its script for Node finds both instances of the sample')
  for (const line of lines) t.match(line, /^127\.0\.0\.1 \d+$/)
}

/** Both outputs of a command; pages also show commands that fail. */
function sh(command: string, env: NodeJS.ProcessEnv, cwd = root): Promise<string> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { env, cwd, timeout: 10_000 }, (_error, stdout, stderr) => {
      resolve(stdout + stderr)
    })
  })
}

t.test('the commands in the pages exist, with their options', async (t) => {
  let count = 0
  for (const path of pages) {
    for (const { place, line } of docCommands(path, read(path))) {
      count++
      const fault = await commandFault(line)
      if (fault !== undefined) t.fail(`${place}: ${fault}`, { line })
    }
  }
  t.ok(count > 100, `${count} commands`)
})

t.test('the files that the pages name exist', async (t) => {
  let count = 0
  for (const path of pages) {
    for (const [, file = ''] of read(path).matchAll(
      /`((?:src|test|bin|docs|packaging|zones)\/[\w./-]+\.\w+)`/g,
    )) {
      count++
      if (!existsSync(join(root, file))) t.fail(`${path} names ${file}`)
    }
  }
  t.ok(count > 40, `${count} files`)
})

t.test('the files that the READMEs of the modules name exist', async (t) => {
  const modules = readdirSync(join(root, 'src'))
  for (const name of modules) {
    const path = `src/${name}/README.md`
    t.ok(existsSync(join(root, path)), path)
    for (const [, file = ''] of read(path).matchAll(/`([\w./-]+\.ts)`/g)) {
      const places = [`src/${name}/${file}`, `src/${file}`, file]
      if (!places.some((place) => existsSync(join(root, place)))) t.fail(`${path} names ${file}`)
    }
  }
})
