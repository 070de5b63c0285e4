import type { ServiceRegistration } from '../client/rows.ts'
import { refusedReason, refusedStatus, type Client } from '../client/client.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { replacedNote, serviceWith } from './replaced-service.ts'

export interface Registered {
  readonly name: string
  readonly id: string
}

export interface Notes {
  /** Gets the warnings of the agent. */
  readonly warn: (text: string) => void
  /** Gets a text about what a registration replaced. */
  readonly note: (text: string) => void
}

/**
 * Registers services in order. If the agent refuses one of several, this removes the new ones again, and
 * rejects with `registration-undone`, which lists what remains.
 */
export async function registerAll(
  client: Client,
  services: readonly ServiceRegistration[],
  { warn, note }: Notes,
): Promise<readonly Registered[]> {
  const [only] = services
  const isOne = services.length === 1 && only !== undefined
  const before = isOne ? await serviceWith(client, idOf(only)) : await client.agentServices()
  const registered: Registered[] = []
  for (const service of services) {
    const id = idOf(service)
    try {
      const warnings = await client.registerService(service, { replaceExistingChecks: true })
      for (const warning of warnings) warn(warning)
    } catch (error) {
      if (isOne || !(error instanceof SvcdError)) throw error
      const ids = registered.map((each) => each.id)
      const reason = asSentence(refusedReason(error) ?? error.message)
      const undone = await undo(client, { ids, failed: id, error }, Object.keys(before))
      throw svcdError('registration-undone', { id, reason, undone }, error)
    }
    const replaced = await replacedNote(client, service, before[id])
    if (replaced !== '') note(replaced)
    registered.push({ name: service.Name, id })
  }
  return registered
}

function idOf({ ID, Name }: ServiceRegistration): string {
  return ID === undefined || ID === '' ? Name : ID
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

interface Failure {
  /** Of the services that were registered, in order. */
  readonly ids: readonly string[]
  /** Of the service that was refused with `error`. */
  readonly failed: string
  readonly error: SvcdError
}

/** Removes the services that are new, and describes what remains. */
async function undo(
  client: Client,
  { ids, failed, error }: Failure,
  before: readonly string[],
): Promise<string> {
  const added = ids.filter((id) => !before.includes(id))
  const left = await remove(client, added)
  const changed = ids.filter((id) => before.includes(id))
  const isUnknown =
    !isRefusal(error) && !before.includes(failed) && (await remove(client, [failed])).length > 0
  return [
    left.length === 0
      ? `No ${isUnknown ? 'other ' : ''}new service of the files remains registered.`
      : `These services were added and could not be removed again: ${left.join(', ')}.`,
    ...(isUnknown ? [`The agent may have added "${failed}": check with \`svcd services\`.`] : []),
    ...(changed.length === 0
      ? []
      : [`These services existed before and keep their new definition: ${changed.join(', ')}.`]),
  ].join(' ')
}

/** Whether the agent certainly did nothing: it answered that the request is wrong. */
function isRefusal(error: SvcdError): boolean {
  const status = refusedStatus(error) ?? 0
  return status >= 400 && status < 500
}

/** Gives the IDs that could not be removed. An ID that the agent does not know counts as removed. */
async function remove(client: Client, ids: readonly string[]): Promise<readonly string[]> {
  const results = await Promise.allSettled(ids.map(async (id) => client.deregisterService(id)))
  return ids.filter((_, at) => {
    const result = results[at]
    return result?.status === 'rejected' && refusedStatus(result.reason) !== 404
  })
}
