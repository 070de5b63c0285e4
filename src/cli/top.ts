import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { readDnsTop } from '../client/dns.ts'
import type { DnsTop } from '../client/rows.ts'
import { parseDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import { writeStyled, type Io } from './io.ts'
import { addClientOptions, addExamples, newCommand, type ClientOptions } from './new-command.ts'
import { addOutputOptions, outputFormat, print, type OutputOptions } from './output.ts'
import { otherLines, topText } from './top-text.ts'

interface TopOptions extends ClientOptions, OutputOptions {
  readonly once?: boolean
  readonly interval: string
}

const rowsDefault = 10
const intervalMsMin = 500
// ECMA-48 §8.3.57 CUP, §8.3.41 EL and §8.3.39 ED.
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

export function topCommand(io: Io): Command {
  const command = newCommand(
    'top',
    'Show what DNS clients ask the agent now: queries per second, the most frequent names, names that do not exist, ' +
      'clients, and how fast the answers are. On a terminal the table is refreshed until you press Ctrl-C. The ' +
      'frequent names and clients are estimated from a sample; all other figures are exact.',
    io,
  )
    .option('--once', 'Print one table, and stop. (default if the output is not a terminal)')
    .option('--interval <duration>', 'How often to refresh the table.', '2s')
    .action(async (options: TopOptions) => {
      const client = await agentClient(options, io)
      const isTable = outputFormat(options) === 'table'
      if (options.once === true || io.terminal === undefined || !isTable) {
        return printOnce(await readDnsTop(client), options, io)
      }
      return refresh(client, intervalMs(options.interval), io)
    })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd top', 'svcd top --interval 5s', 'svcd top --once -o json'])
}

function printOnce(top: DnsTop, options: TopOptions, io: Io): Promise<void> {
  return print(io, options, {
    data: top,
    names: top.Names.map(({ Name }) => Name),
    text: (isWide) => topText(io, top, isWide ? Infinity : rowsDefault, isWide),
  })
}

function intervalMs(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= intervalMsMin) return ms
  const reason = `"${text}" is not a duration of at least 500ms; write a number with a unit, such as 2s`
  throw svcdError('invalid-option', { option: '--interval', reason })
}

/** Draws the table over the one before, as high as the window allows. */
async function refresh(client: Client, everyMs: number, io: Io): Promise<void> {
  const interrupted = new AbortController()
  io.onInterrupt?.(() => interrupted.abort())
  writeStyled(io, home + clearBelow)
  while (!interrupted.signal.aborted) {
    const top = await readDnsTop(client)
    const left = (io.terminal?.rows ?? Infinity) - otherLines(top) - 1
    const rows = Math.max(1, Math.min(rowsDefault, Math.floor(left / 3)))
    const lines = topText(io, top, rows, false).replaceAll('\n', `${clearLine}\n`)
    writeStyled(io, home + lines + clearBelow)
    await delay(everyMs, undefined, { signal: interrupted.signal }).catch(() => {})
  }
}
