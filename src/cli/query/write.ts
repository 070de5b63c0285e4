import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { addDatacenter, definitionFrom, queryClient, shownName } from './query-options.ts'
import type { QueryCommandOptions } from './query-options.ts'

const fileHelp = 'A file with the definition as JSON, or - for standard input.'

export function queryCreateCommand(io: Io): Command {
  const command = newCommand(
    'query create',
    "Create a prepared query from its definition, which is the body of Consul's API.",
    io,
  )
    .argument('<file>', fileHelp)
    .action(async (file: string, options: QueryCommandOptions) => {
      const definition = await definitionFrom(file, io)
      const id = await (await queryClient(options, io)).create(definition, options)
      if (options.json === true) printJson(io, { ID: id })
      else io.out(`Created prepared query: ${id}\n`)
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd query create best-db.json',
    `echo '{"Name":"best","Service":{"Service":"db"}}' | svcd query create -`,
  ])
}

export function queryUpdateCommand(io: Io): Command {
  const command = newCommand(
    'query update',
    'Replace the definition of a prepared query. Its ID stays the same.',
    io,
  )
    .argument('<query>', 'Its ID or its name.')
    .argument('<file>', fileHelp)
    .action(async (query: string, file: string, options: QueryCommandOptions) => {
      const definition = await definitionFrom(file, io)
      const client = await queryClient(options, io)
      const found = await client.find(query, options)
      await client.update(found.ID, definition, options)
      if (options.json === true) printJson(io, { ID: found.ID })
      else io.out(`Updated prepared query: ${shownName(found)}\n`)
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, ['svcd query update best-db best-db.json'])
}

export function queryDeleteCommand(io: Io): Command {
  const command = newCommand('query delete', 'Delete a prepared query.', io)
    .argument('<query>', 'Its ID or its name.')
    .action(async (query: string, options: QueryCommandOptions) => {
      const client = await queryClient(options, io)
      const found = await client.find(query, options)
      await client.delete(found.ID, options)
      if (options.json === true) printJson(io, { ID: found.ID, deleted: true })
      else io.out(`Deleted prepared query: ${shownName(found)}\n`)
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, ['svcd query delete best-db'])
}
