import type { Terminal } from './io.ts'

/**
 * The terminal behind a stream; undefined when it is none. Colours are off with NO_COLOR
 * (https://no-color.org: present and not empty) and on a terminal that has none.
 */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Terminal | undefined {
  if (stream.isTTY !== true) return undefined
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  // A terminal that does not know its width says 0.
  const { columns = 0 } = stream
  return { columns: columns > 0 ? columns : 80, hasColour: !isPlain }
}
