import { Client, type Diagnose } from '../client/client.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import { httpAddress } from './http-address.ts'
import type { Io } from './io.ts'
import type { ClientOptions } from './new-command.ts'

/** A client for the agent that the command line names. */
export async function agentClient(
  options: ClientOptions,
  io: Io,
  limits: { readonly timeoutMs?: number } = {},
): Promise<Client> {
  const { timeoutMs = Number.POSITIVE_INFINITY } = limits
  return new Client({
    ...limits,
    // A caller with so short a timeout has no time for a diagnosis.
    diagnose: timeoutMs < 2000 ? undefined : diagnose,
    address: httpAddress(options.httpAddr, io.env),
    token: await tokenOf(options, io),
  })
}

const diagnose: Diagnose = async (address, failure) => {
  const { wrongAddress } = await import('./wrong-address.ts')
  return wrongAddress(address, failure)
}

/** Options override variables, svcd's variables override Consul's, and a token overrides a file. */
async function tokenOf(options: ClientOptions, io: Io): Promise<string | undefined> {
  if (given(options.token)) return options.token
  if (given(options.tokenFile)) return readToken(options.tokenFile, io)
  const { env } = io
  const token = [env['SVCD_HTTP_TOKEN'], env['CONSUL_HTTP_TOKEN']].find(given)
  if (token !== undefined) return token
  const file = [env['SVCD_HTTP_TOKEN_FILE'], env['CONSUL_HTTP_TOKEN_FILE']].find(given)
  return file === undefined ? undefined : readToken(file, io)
}

function given(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

async function readToken(path: string, io: Io): Promise<string> {
  try {
    return (await io.readText(path)).trim()
  } catch (error) {
    const reason = `cannot read "${path}": ${reasonOf(error)}`
    throw svcdError('invalid-option', { option: '-token-file', reason }, error)
  }
}
