import type { Command } from 'commander'
import type { HealthEntry } from '../../client/rows.ts'
import { instanceHealth } from '../instance-health.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { addOutputOptions, outputFormat, printList } from '../output.ts'
import type { Column, OutputOptions } from '../output.ts'
import { addQueryReadOptions, queryClient } from './query-options.ts'
import type { QueryCommandOptions } from './query-options.ts'

export function queryGetCommand(io: Io): Command {
  const command = newCommand(
    'query get',
    'Print the definition of a prepared query as JSON. `svcd query update` reads this output.',
    io,
  )
    .argument('<query>', 'Its ID or its name.')
    .action(async (query: string, options: QueryCommandOptions) => {
      printJson(io, await (await queryClient(options, io)).find(query, options))
    })
  addQueryReadOptions(command)
  addClientOptions(command)
  return addExamples(command, ['svcd query get best-db > best-db.json'])
}

export function queryExplainCommand(io: Io): Command {
  const command = newCommand(
    'query explain',
    'Print the prepared query that a name finds as JSON, with its template filled in.',
    io,
  )
    .argument('<name>', 'A name as in NAME.query.consul, or an ID.')
    .action(async (name: string, options: QueryCommandOptions) => {
      printJson(io, await (await queryClient(options, io)).explain(name, options))
    })
  addQueryReadOptions(command)
  addClientOptions(command)
  return addExamples(command, ['svcd query explain geo-db-primary'])
}

interface ExecuteOptions extends QueryCommandOptions, OutputOptions {
  readonly limit?: string
  readonly near?: string
}

export function queryExecuteCommand(io: Io): Command {
  const command = newCommand(
    'query execute',
    'List the instances that a prepared query chooses. DNS answers NAME.query.consul with the same ones.',
    io,
  )
    .argument('<name>', 'A name as in NAME.query.consul, or an ID.')
    .option('--limit <number>', 'List at most this many instances. (default: all)')
    .option('--near <node>', 'List the instances of this node first.')
    .action(async (name: string, options: ExecuteOptions) => {
      const result = await (await queryClient(options, io)).execute(name, options)
      const { Nodes: rows } = result
      const format = outputFormat(options)
      if (rows.length === 0 && (format === 'table' || format === 'wide')) {
        return io.err(`No instance of service "${result.Service}" matches the query.\n`)
      }
      return printList(io, options, { data: result, rows, columns: instanceColumns, nameOf })
    })
  addQueryReadOptions(command)
  addClientOptions(command)
  addOutputOptions(command)
  return addExamples(command, [
    'svcd query execute best-db',
    'svcd query execute best-db --near n1 --limit 1',
  ])
}

function nameOf({ Service }: HealthEntry): string {
  return Service.ID
}

const instanceColumns: readonly Column<HealthEntry>[] = [
  { header: 'ID', cell: ({ Service }) => Service.ID },
  { header: 'Node', cell: ({ Node }) => Node.Node },
  {
    header: 'Address',
    cell: ({ Service, Node }) => (Service.Address === '' ? Node.Address : Service.Address),
  },
  { header: 'Port', cell: ({ Service }) => String(Service.Port) },
  { header: 'Status', cell: ({ Checks }) => instanceHealth(Checks).status },
  { header: 'Tags', cell: ({ Service }) => Service.Tags.toSorted().join(',') },
]
