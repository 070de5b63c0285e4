import { SessionClient } from '../../client/session.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import type { ClientOptions } from '../new-command.ts'

export interface SessionCommandOptions extends ClientOptions {
  readonly datacenter?: string
}

export async function sessionClient(options: ClientOptions, io: Io): Promise<SessionClient> {
  return new SessionClient(await agentClient(options, io))
}
