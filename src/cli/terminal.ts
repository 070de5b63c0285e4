import type { Terminal } from './io.ts'

/**
 * The terminal behind a stream; undefined if it is not a terminal. Colours are off with NO_COLOR
 * (https://no-color.org: present and not empty) and on a terminal without colours.
 */
export function terminalOf(
  stream: {
    readonly isTTY?: boolean
    readonly columns?: number
    readonly rows?: number
  },
  env: Readonly<Record<string, string | undefined>>,
): Terminal | undefined {
  if (stream.isTTY !== true) return undefined
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  // A terminal that does not know its width reports 0.
  const { columns = 0, rows = 0 } = stream
  const size = { columns: columns > 0 ? columns : 80, ...(rows > 0 ? { rows } : {}) }
  return { ...size, hasColour: !isPlain }
}
