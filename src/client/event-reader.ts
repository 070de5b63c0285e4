/** One event of a stream: the state of what is watched. */
export interface WatchEvent {
  /** X-Consul-Index of that state. */
  readonly index: number
  readonly data: unknown
}

/**
 * Reads server-sent events (HTML §9.2.6) as this API writes them: one `data` line each, lines that
 * end in LF. Comments and fields of no interest are passed over.
 */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = parseEvent(text.slice(0, end))
      text = text.slice(end + 2)
      if (event !== undefined) yield event
    }
  }
}

function parseEvent(text: string): WatchEvent | undefined {
  const data = field(text, 'data')
  if (data === undefined) return undefined
  return { index: Number(field(text, 'id') ?? 0), data: JSON.parse(data) as unknown }
}

function field(text: string, name: string): string | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name}: `))
  return line?.slice(name.length + 2)
}
