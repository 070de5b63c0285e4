import { withTextFlags } from '../../client/text-flags.ts'

/** Reads an answer of the API, with the flags of keys as texts: they go up to 2^64-1. */
export function parseAnswer(text: string): unknown {
  return JSON.parse(withTextFlags(text, 'Flags'))
}

const token = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g

/** JSON with one item per line. Texts, numbers and the order of names stay as they are. The JSON must be valid. */
export function indentedJson(text: string): string {
  const out: string[] = []
  const tokens = text.match(token) ?? []
  let depth = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  for (const [at, part] of tokens.entries()) {
    const isEmpty = /^[[{]$/.test(tokens[at - 1] ?? '')
    if (part === '{' || part === '[') {
      out.push(part)
      depth++
      if (!/^[\]}]$/.test(tokens[at + 1] ?? '')) out.push(line())
    } else if (part === '}' || part === ']') {
      depth--
      out.push(isEmpty ? part : line() + part)
    } else if (part === ',') out.push(part, line())
    else out.push(part === ':' ? ': ' : part)
  }
  return out.join('')
}
