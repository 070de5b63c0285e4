import { Client, type Diagnose } from '../client/client.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { ClientTls } from '../client/http-request.ts'
import { httpAddress, isTrue } from './http-address.ts'
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
    tls: await tlsOf(options, io),
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

/** Undefined: the system's authorities, and no certificate. Files override Consul's variables as tokens do. */
export async function tlsOf(options: ClientOptions, io: Io): Promise<ClientTls | undefined> {
  const { env } = io
  const named = (flag: string | undefined, name: string): string | undefined =>
    [flag, env[`SVCD_${name}`], env[`CONSUL_${name}`]].find(given)
  const ca = await pemText(named(options.caFile, 'CACERT'), '-ca-file', io)
  const cert = await pemText(named(options.clientCert, 'CLIENT_CERT'), '-client-cert', io)
  const key = await pemText(named(options.clientKey, 'CLIENT_KEY'), '-client-key', io)
  const serverName = named(options.tlsServerName, 'TLS_SERVER_NAME')
  const isUnverified = isTrue('HTTP_SSL_VERIFY', env) === false
  if ((cert === undefined) !== (key === undefined)) {
    const option = cert === undefined ? '-client-cert' : '-client-key'
    throw svcdError('invalid-option', {
      option,
      reason: 'set both -client-cert and -client-key, or neither',
    })
  }
  const isDefault = [ca, cert, serverName].every((one) => one === undefined) && !isUnverified
  return isDefault ? undefined : { ca, cert, key, serverName, isUnverified }
}

async function pemText(
  path: string | undefined,
  option: string,
  io: Io,
): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await io.readText(path)
  } catch (error) {
    const reason = `cannot read "${path}": ${reasonOf(error)}`
    throw svcdError('invalid-option', { option, reason }, error)
  }
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
