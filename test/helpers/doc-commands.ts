import { hasCommandArgument, normaliseArguments } from '../../src/cli/arguments.ts'
import { commands } from '../../src/cli/commands.ts'

/** A command line of svcd in a page. */
export interface DocCommand {
  /** `page:line`. */
  readonly place: string
  /** From `svcd` to its end. */
  readonly line: string
}

/** The svcd commands in the code of a page: in blocks (without output) and between backticks. */
export function docCommands(page: string, markdown: string): readonly DocCommand[] {
  const found: DocCommand[] = []
  const lines = markdown.split('\n')
  let language: string | undefined
  let hasPrompts = false
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const place = `${page}:${index + 1}`
    const fence = /^\s*```(\w*)/.exec(line)
    if (fence !== null) {
      language = language === undefined ? fence[1] : undefined
      hasPrompts = language !== undefined && promptFollows(lines, index + 1)
      continue
    }
    if (language === undefined) {
      for (const [, code = ''] of line.matchAll(/`(svcd [^`]+)`/g))
        found.push({ place, line: code })
      continue
    }
    let whole = line
    while (whole.endsWith('\\')) whole = `${whole.slice(0, -1)} ${(lines[++index] ?? '').trim()}`
    // What another command prints is an argument like any other.
    whole = whole.replaceAll(/\$\((?!svcd )[^)]*\)/g, 'VALUE')
    // In a block with prompts all other lines are output.
    if (hasPrompts && !whole.startsWith('$ ')) continue
    for (const [, code = ''] of whole.matchAll(
      /(?:^|[$|&;(]\s*|sudo (?:-u \S+ )?)(svcd [^|&;)#>]+)/g,
    )) {
      found.push({ place, line: code.trim() })
    }
  }
  return found
}

/** Whether a line of the block that begins at `index` is a command behind a prompt. */
function promptFollows(lines: readonly string[], index: number): boolean {
  const end = lines.findIndex((line, at) => at >= index && /^\s*```/.test(line))
  return lines.slice(index, end).some((line) => line.startsWith('$ '))
}

/** What is wrong with a command line: no such command, or no such option. Undefined: nothing. */
export async function commandFault(line: string): Promise<string | undefined> {
  const words = shellWords(line).slice(1)
  const [first = ''] = words
  // A placeholder, or the program itself.
  if (/^(?:-|…|\.\.\.|[A-Z]|help$|COMMAND)/.test(first)) return undefined
  const name = commandName(words)
  if (name === undefined) {
    const begun = words.slice(0, 2).join(' ')
    const isGroup = Object.keys(commands).some((known) => known.startsWith(`${first} `))
    return isGroup && (words.length === 1 || /^[….]/.test(words.at(-1) ?? ''))
      ? undefined
      : `there is no command \`svcd ${begun}\``
  }
  const command = (await commands[name]?.load())?.(silent)
  const args = words.slice(name.split(' ').length)
  const options = command?.options ?? []
  const hasCommand = command !== undefined && hasCommandArgument(command)
  const normalised = normaliseArguments(args, options, hasCommand)
  for (let at = 0; at < normalised.length; at++) {
    const [flag = '', value] = (normalised[at] ?? '').split('=')
    if (flag === '--') return undefined
    if (!/^-{1,2}[a-z]/i.test(flag) || flag === '--help' || flag === '-h') continue
    const option = options.find(({ long, short }) => long === flag || short === flag)
    if (option === undefined) return `\`svcd ${name}\` has no option ${flag}`
    if (option.required && value === undefined) at++
  }
  return undefined
}

const silent = { out: () => {}, err: () => {}, env: {}, readText: async () => '' }

/** The longest command that the words begin with; `pass|warn|fail` stands for its first. */
function commandName(words: readonly string[]): string | undefined {
  for (let count = Math.min(3, words.length); count > 0; count--) {
    const name = words
      .slice(0, count)
      .map((word) => word.split('|')[0])
      .join(' ')
    if (Object.hasOwn(commands, name)) return name
  }
  return undefined
}

function shellWords(line: string): readonly string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replaceAll(/["']/g, ''),
  )
}
