import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { visible } from '../../base/invisible.ts'
import type { Io } from '../io.ts'
import { addDatacenter } from '../kv/kv-options.ts'
import { addClientOptions, addExamples, newCommand, printJson } from '../new-command.ts'
import { sessionClient, type SessionCommandOptions } from './session-options.ts'

export function sessionRenewCommand(io: Io): Command {
  const command = newCommand(
    'session renew',
    'Start the TTL of sessions again. It fails if a session does not exist.',
    io,
  )
    .argument('<id...>', 'The IDs of the sessions.')
    .action(async (ids: readonly string[], options: SessionCommandOptions) => {
      const client = await sessionClient(options, io)
      for (const id of ids) {
        const session = await client.renew(id, options)
        if (session === undefined) throw svcdError('no-such-session', { id })
        if (options.json === true) printJson(io, session)
        else io.out(`Renewed session: ${visible(id)}${ttlText(session.TTL)}\n`)
      }
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, ['svcd session renew 5d3a1d0e-8f2b-4c1c-9a56-0d6c0c7f9b11'])
}

function ttlText(ttl: string): string {
  return ttl === '' ? ' (it has no TTL)' : ` (TTL ${visible(ttl)})`
}

export function sessionDestroyCommand(io: Io): Command {
  const command = newCommand(
    'session destroy',
    'End sessions, and release their locks or delete their keys. It also succeeds if a session does not exist.',
    io,
  )
    .argument('<id...>', 'The IDs of the sessions.')
    .action(async (ids: readonly string[], options: SessionCommandOptions) => {
      const client = await sessionClient(options, io)
      for (const id of ids) {
        await client.destroy(id, options)
        if (options.json === true) printJson(io, { ID: id, Destroyed: true })
        else io.out(`Destroyed session: ${visible(id)}\n`)
      }
    })
  addDatacenter(command)
  addClientOptions(command)
  return addExamples(command, ['svcd session destroy 5d3a1d0e-8f2b-4c1c-9a56-0d6c0c7f9b11'])
}
