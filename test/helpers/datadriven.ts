import { readFileSync, writeFileSync } from 'node:fs'

/** One command of a golden script: `name word key=value …`, then optional lines of input. */
export interface Command {
  readonly name: string
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly input: readonly string[]
}

/**
 * Runs a golden script: blocks of `command`, `----`, output, parted by empty lines; `#` begins a
 * comment. Returns the script as it is and as `run` would have it. REWRITE=1 writes the latter:
 * commit it only when you understand what changed it.
 */
export function runScript(
  path: string,
  run: (command: Command) => string,
): { expected: string; actual: string } {
  const expected = readFileSync(path, 'utf8')
  const actual = expected
    .trimEnd()
    .split(/\n{2,}/)
    .map((block) => runBlock(block, run))
    .join('\n\n')
    .concat('\n')
  if (process.env['REWRITE'] === '1') writeFileSync(path, actual)
  return { expected: process.env['REWRITE'] === '1' ? actual : expected, actual }
}

function runBlock(block: string, run: (command: Command) => string): string {
  const lines = block.split('\n')
  const at = lines.findIndex((line) => !line.startsWith('#'))
  if (at === -1) return block
  const end = lines.indexOf('----')
  const head = end === -1 ? lines : lines.slice(0, end)
  const [name = '', ...rest] = (head[at] ?? '').split(/\s+/)
  const words = rest.filter((word) => !word.includes('='))
  const pairs = rest
    .filter((word) => word.includes('='))
    .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
  const options: Record<string, string> = Object.fromEntries(pairs)
  const output = run({ name, words, options, input: head.slice(at + 1) })
  return [...head, '----', output === '' ? 'ok' : output].join('\n')
}
