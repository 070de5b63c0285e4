/** One event of a stream (HTML, Server-sent events §9.2.6). */
export interface ServerEvent {
  readonly id: string
  readonly data: string
}

/** Takes a stream apart, in whatever pieces it arrives. */
export class ServerEventReader {
  #rest: string[] = []
  #id = ''
  #data: string[] = []

  /** The events that end in `chunk`. */
  push(chunk: string): readonly ServerEvent[] {
    const events: ServerEvent[] = []
    const lines = chunk.split('\n')
    const last = lines.pop() ?? ''
    for (const [index, piece] of lines.entries()) {
      const line = index === 0 ? [...this.#rest, piece].join('') : piece
      const event = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line)
      if (event !== undefined) events.push(event)
    }
    if (lines.length > 0) this.#rest = []
    // Long events come in thousands of pieces: joined once, at their end.
    if (last !== '') this.#rest.push(last)
    return events
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') {
      if (this.#data.length === 0) return undefined
      const event = { id: this.#id, data: this.#data.join('\n') }
      this.#data = []
      return event
    }
    const [, field, value = ''] = /^([^:]*):? ?([^]*)$/.exec(line) ?? []
    if (field === 'id') this.#id = value
    if (field === 'data') this.#data.push(value)
    return undefined
  }
}
