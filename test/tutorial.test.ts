import { chmodSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { svcdBin } from './helpers/agent-process.ts'
import { blocksOf, examplesOf, shape, type Example } from './helpers/page-blocks.ts'
import { noSessions, ShellSession } from './helpers/shell-session.ts'
import { missing } from './helpers/tools.ts'
import { pause } from './helpers/until.ts'

// The pages that begin with an empty directory, each followed by a reader who saves each file under its name and types each command. What
// a block of `console` prints has to be what the page shows; a block of `sh` is run as it is.

const pages = ['docs/tutorial.md', 'docs/lock-down.md']
const agreeMs = 60_000

for (const page of pages) {
  t.test(
    `${page} can be followed from top to bottom`,
    { skip: noSessions(), timeout: 300_000 },
    (t) => followPage(t, fileURLToPath(new URL(`../${page}`, import.meta.url))),
  )
}

async function followPage(t: Test, path: string): Promise<void> {
  const bin = t.testdir({ svcd: `#!/bin/sh\nexec "${process.execPath}" "${svcdBin}" "$@"\n` })
  chmodSync(join(bin, 'svcd'), 0o755)
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }
  const session = new ShellSession(bin, env)
  t.teardown(async () => session.stop())

  for (const block of blocksOf(readFileSync(path, 'utf8'))) {
    const { language, file, text } = block
    if (file !== '') await session.run(`cat > ${file} <<'END OF FILE'\n${text}END OF FILE`)
    else if (language === 'sh') await session.run(text)
    else for (const example of examplesOf(block)) await follow(t, session, example)
  }
}

/** What is asked right after a change may be answered as before for a moment, as a reader may see. */
async function follow(t: Test, session: ShellSession, example: Example): Promise<void> {
  const { command, output } = example
  await t.test(command, { skip: lacks(command) }, async (t) => {
    const deadline = performance.now() + agreeMs
    for (;;) {
      const printed = withoutRoles(await session.run(command))
      const isAsShown = same(shape(printed), shape(withoutRoles(output)))
      if (!isAsShown && performance.now() < deadline) {
        await pause(100)
        continue
      }
      t.strictSame(shape(printed), shape(withoutRoles(output)))
      return
    }
  })
}

function lacks(command: string): string | false {
  const program = command.split(' ')[0] ?? ''
  if (program === 'python3' && hasNoDnspython()) return 'needs the Python package dnspython'
  return program === 'svcd' ? false : missing(program)
}

function hasNoDnspython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import dns.resolver'], { stdio: 'ignore' })
    return false
  } catch {
    return true
  }
}

/** Which of the others leads once the leader is gone is chance. */
function withoutRoles(text: string): string {
  return text.replaceAll(/\b(?:leader|follower)\b/g, 'ROLE').replaceAll(/^Leader: +\w+/gm, 'LEADER')
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\n') === other.join('\n')
}
