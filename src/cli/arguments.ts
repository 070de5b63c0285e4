import type { Command, Option } from 'commander'

/**
 * Rewrites Go's way of writing flags into the one that commander reads: `-data-dir /d` and
 * `-server=true` as well as `--data-dir /d` and `--server`. The value of a flag stays as it is, also
 * when it starts with a dash (`-http-port -1`). `hasCommand`: the first word that is no flag begins another
 * command, whose flags are not touched.
 */
export function normaliseArguments(
  args: readonly string[],
  options: readonly Option[],
  hasCommand = false,
): readonly string[] {
  const normalised: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--') return [...normalised, ...args.slice(at)]
    const isWord = arg === '-' || !arg.startsWith('-')
    if (hasCommand && isWord) return [...normalised, '--', ...args.slice(at)]
    const short = shortFlag(arg, options)
    if (short !== undefined) {
      normalised.push(...short)
      continue
    }
    const long = /^-[a-z][\w-]*[\w]/i.test(arg) ? `-${arg}` : arg
    const [flag, value] = splitAtEquals(long)
    const option = options.find((option) => option.long === flag || option.short === flag)
    if (option?.isBoolean() === true && value !== undefined) {
      normalised.push(...booleanFlag(flag, value, options))
      continue
    }
    normalised.push(long)
    if (option?.required === true && value === undefined && at + 1 < args.length) {
      normalised.push(args[++at] ?? '')
    }
  }
  return normalised
}

// As with kubectl; any other word after one dash is a long flag, as in Go.
const joined = /^(-o)(json|yaml|wide|name|table)$/

/** `-o=json` and `-ojson` as `-o json`. */
function shortFlag(arg: string, options: readonly Option[]): readonly string[] | undefined {
  const [, flag = '', value = ''] = /^(-[a-z])=(.+)$/is.exec(arg) ?? joined.exec(arg) ?? []
  const isShort = options.some(({ short, required }) => required && short === flag)
  return isShort ? [flag, value] : undefined
}

function splitAtEquals(text: string): readonly [string, string | undefined] {
  const at = text.startsWith('-') ? text.indexOf('=') : -1
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function booleanFlag(flag: string, value: string, options: readonly Option[]): readonly string[] {
  if (/^(?:1|t|true)$/i.test(value)) return [flag]
  // Left as it is, commander refuses a value such as `--json=maybe`.
  if (!/^(?:0|f|false)$/i.test(value)) return [`${flag}=${value}`]
  const negative = `--no-${flag.replace(/^-+/, '')}`
  return options.some((option) => option.long === negative) ? [negative] : []
}

/** Whether the arguments of a command end with another command, which it runs. */
export function hasCommandArgument({ registeredArguments }: Command): boolean {
  const last = registeredArguments.at(-1)
  return last?.variadic === true && last.name() === 'command'
}
