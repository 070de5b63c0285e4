import type { Terminal } from './io.ts'

/** What a text means, which decides on its colour. */
export type Tone = 'good' | 'warning' | 'bad' | 'plain'

// SGR codes of ECMA-48 §8.3.117; 39 is the terminal's own colour again.
const codes: Readonly<Record<Tone, string>> = { good: '32', warning: '33', bad: '31', plain: '' }

/** The text in the colour of its tone, where the terminal has colours. */
export function paint(text: string, tone: Tone, terminal: Terminal | undefined): string {
  const code = codes[tone]
  if (code === '' || text === '' || terminal?.hasColour !== true) return text
  return `\u001b[${code}m${text}\u001b[39m`
}

const tones: Readonly<Record<string, Tone>> = {
  passing: 'good',
  alive: 'good',
  leader: 'good',
  ok: 'good',
  warning: 'warning',
  maintenance: 'warning',
  leaving: 'warning',
  critical: 'bad',
  failed: 'bad',
  problem: 'bad',
}

/** The tone of a status of a check, an instance or a server. */
export function toneOf(status: string): Tone {
  return tones[status] ?? 'plain'
}
