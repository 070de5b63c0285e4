import type { Command } from 'commander'
import type { Self } from '../api/client-rows.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

export function infoCommand(io: Io): Command {
  const command = newCommand('info', 'Show facts and figures of the agent.', io).action(
    async (options: ClientOptions) => {
      const { Stats } = await (await agentClient(options, io)).self()
      if (options.json === true) printJson(io, Stats)
      else io.out(infoText(Stats))
    },
  )
  addClientOptions(command)
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
