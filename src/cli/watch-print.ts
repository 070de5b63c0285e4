import { visible, visibleJson } from '../base/invisible.ts'
import { payloadText } from '../client/event.ts'
import type { StreamEvent } from '../client/event-reader.ts'
import type { EventEntry } from '../client/rows.ts'
import { withTextFlags } from '../client/text-flags.ts'
import type { Io } from './io.ts'
import { changeLines } from './watch-changes.ts'
import { rowsOf, type Rows, type WatchedKind } from './watched-rows.ts'

export type Show = (seen: StreamEvent) => void

/** Prints each change in a line. */
export function changePrinter(kind: WatchedKind, io: Io): Show {
  if (kind === 'event') return eventPrinter(io)
  let before: Rows = new Map()
  return ({ text }) => {
    const after = rowsOf(kind, JSON.parse(withTextFlags(text, 'Flags')))
    const time = new Date().toISOString()
    for (const line of changeLines(before, after)) io.out(`${time} ${line}\n`)
    before = after
  }
}

function eventPrinter(io: Io): Show {
  return ({ text }) => {
    const time = new Date().toISOString()
    for (const event of JSON.parse(text) as readonly EventEntry[]) {
      const payload = payloadText(event)
      const shown = payload === '' ? event.Name : `${event.Name}  ${payload}`
      io.out(`${time} + ${visible(shown)}\n`)
    }
  }
}

/** Prints each state as a line of JSON. */
export function jsonPrinter(io: Io): Show {
  let shown = ''
  return ({ id, text }) => {
    // After a reconnect, the agent usually sends a state that was shown already.
    if (text !== shown) io.out(`{"index":${id},"data":${visibleJson(text)}}\n`)
    shown = text
  }
}

/** Prints a state as Consul's command does. */
export function indentedPrinter(kind: WatchedKind, io: Io): Show {
  const isOfKeys = kind === 'key' || kind === 'keyprefix'
  return ({ text }) => {
    // JavaScript does not hold all flags, so they are put in as text.
    const data: unknown = JSON.parse(isOfKeys ? withTextFlags(text, 'Flags') : text)
    const json = JSON.stringify(data, null, 4)
    const exact = isOfKeys ? json.replaceAll(/^( *"Flags": )"(\d+)"/gm, '$1$2') : json
    io.out(`${visibleJson(exact)}\n`)
  }
}
