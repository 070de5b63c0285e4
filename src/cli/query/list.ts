import type { Command } from 'commander'
import type { QueryEntry } from '../../client/rows.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand } from '../new-command.ts'
import { addOutputOptions, outputFormat, printList } from '../output.ts'
import type { Column, OutputOptions } from '../output.ts'
import { addQueryReadOptions, queryClient } from './query-options.ts'
import type { QueryCommandOptions } from './query-options.ts'

interface ListOptions extends QueryCommandOptions, OutputOptions {}

export function queryListCommand(io: Io): Command {
  const command = newCommand('query list', 'List the prepared queries.', io).action(
    async (options: ListOptions) => {
      const data = await (await queryClient(options, io)).list(options)
      const format = outputFormat(options)
      if (data.length === 0 && (format === 'table' || format === 'wide')) {
        return io.err('There are no prepared queries.\n')
      }
      const rows = data.toSorted((a, b) => compare(a.Name, b.Name))
      return printList(io, options, { data, rows, columns: queryColumns, nameOf })
    },
  )
  addQueryReadOptions(command)
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, ['svcd query list', 'svcd query list --json'])
}

function nameOf({ ID, Name }: QueryEntry): string {
  return Name === '' ? ID : Name
}

const queryColumns: readonly Column<QueryEntry>[] = [
  { header: 'Name', cell: ({ Name }) => (Name === '' ? '-' : Name) },
  { header: 'ID', cell: ({ ID }) => ID },
  { header: 'Service', cell: ({ Service }) => Service.Service },
  { header: 'Tags', cell: ({ Service }) => (Service.Tags ?? []).join(',') },
  { header: 'Template', cell: ({ Template }) => (Template.Type === '' ? 'no' : 'yes') },
  { header: 'TTL', cell: ({ DNS }) => DNS.TTL },
  { header: 'OnlyPassing', cell: ({ Service }) => String(Service.OnlyPassing), isWide: true },
  { header: 'Near', cell: ({ Service }) => Service.Near, isWide: true },
  { header: 'Session', cell: ({ Session }) => Session, isWide: true },
]

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
