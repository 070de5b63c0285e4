import type { Command } from 'commander'
import type { Self } from '../client/rows.ts'
import { visibleLines } from '../base/invisible.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import { addClientOptions, addExamples, newCommand, type ClientOptions } from './new-command.ts'
import { addOutputOptions, print, type OutputOptions } from './output.ts'

export function infoCommand(io: Io): Command {
  const command = newCommand(
    'info',
    'Show statistics of the agent: its build, its services and checks, and the state of Raft.',
    io,
  ).action(async (options: ClientOptions & OutputOptions) => {
    const { Stats } = await (await agentClient(options, io)).self()
    const names = Object.entries(Stats).flatMap(([section, facts]) =>
      Object.keys(facts).map((key) => `${section}.${key}`),
    )
    const text = (): string => visibleLines(infoText(Stats))
    return print(io, options, { data: Stats, names: names.toSorted(), text })
  })
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd info', 'svcd info --json'])
}

/** Consul's layout: sections and their keys, both sorted. */
export function infoText(stats: Self['Stats']): string {
  return Object.entries(stats)
    .toSorted(byKey)
    .map(([section, facts]) => {
      const lines = Object.entries(facts).toSorted(byKey)
      return `${section}:\n${lines.map(([key, value]) => `\t${key} = ${value}\n`).join('')}`
    })
    .join('')
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
