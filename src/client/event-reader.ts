/** One event of a stream, with its data as they came: JSON, whose numbers may be too large for JavaScript. */
export interface StreamEvent {
  /** X-Consul-Index of the state: up to 2^64-1. */
  readonly id: string
  readonly text: string
}

/** One event of a stream: the state of what is watched. */
export interface WatchEvent {
  /** X-Consul-Index of that state. */
  readonly index: number
  readonly data: unknown
}

/** For streams without large numbers. */
export async function* parsed(
  events: AsyncIterable<StreamEvent>,
): AsyncGenerator<WatchEvent, void> {
  for await (const { id, text } of events) {
    yield { index: Number(id), data: JSON.parse(text) as unknown }
  }
}

/**
 * Reads server-sent events (HTML §9.2.6) as this API writes them: one `data` line each, lines that
 * end in LF. Comments and fields of no interest are passed over.
 */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<StreamEvent, void> {
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

function parseEvent(text: string): StreamEvent | undefined {
  const data = field(text, 'data')
  return data === undefined ? undefined : { id: field(text, 'id') ?? '0', text: data }
}

function field(text: string, name: string): string | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name}: `))
  return line?.slice(name.length + 2)
}

/** The same items; `before` is called before each. */
export async function* withEach<T>(
  items: AsyncIterable<T>,
  before: () => void,
): AsyncGenerator<T, void> {
  for await (const item of items) {
    before()
    yield item
  }
}
