import type { ServiceRegistration } from '../api/client-rows.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { Io } from './io.ts'

/** An argument of this kind is a file, not the name or id of a service. */
export function isDefinitionFile(argument: string): boolean {
  return argument === '-' || argument.endsWith('.json')
}

/** The services of all files, in order; none when one of them cannot be read. */
export async function readAllRegistrations(
  paths: readonly string[],
  io: Io,
): Promise<readonly ServiceRegistration[]> {
  const read = await Promise.all(paths.map(async (path) => readRegistrations(path, io)))
  return read.flat()
}

/**
 * Reads service definitions as Consul's files hold them: `{"service": {…}}`, `{"services": […]}`, or
 * one bare definition. The agent judges their fields.
 */
async function readRegistrations(path: string, io: Io): Promise<readonly ServiceRegistration[]> {
  let content: unknown
  try {
    content = JSON.parse(await io.readText(path))
  } catch (error) {
    throw svcdError('config-unreadable', { path, reason: reasonOf(error) }, error)
  }
  const list = definitions(content)
  const services = list.map(asRegistration).filter((service) => service !== undefined)
  if (services.length === 0 || services.length < list.length) {
    throw svcdError('config-unreadable', {
      path,
      reason: 'it holds no service with a name; write {"service": {"name": "web", "port": 8080}}',
    })
  }
  return services
}

function definitions(content: unknown): readonly unknown[] {
  if (!isObject(content)) return []
  const one = content['service'] ?? content['Service']
  const many = content['services'] ?? content['Services']
  if (one === undefined && many === undefined) return [content]
  return [...(one === undefined ? [] : [one]), ...(Array.isArray(many) ? (many as unknown[]) : [])]
}

function asRegistration(value: unknown): ServiceRegistration | undefined {
  if (!isObject(value)) return undefined
  const { Name, name, ID, id, ...rest } = value
  const serviceName = Name ?? name
  const serviceId = ID ?? id
  if (typeof serviceName !== 'string') return undefined
  // A wrong type of id is left to the agent, which says what is wrong with it.
  return { ...rest, Name: serviceName, ...(serviceId != null && { ID: serviceId as string }) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
