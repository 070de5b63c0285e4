import type { ServiceRegistration } from '../client/rows.ts'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { DefinitionFiles, Finding } from '../agent/files/document.ts'
import type { Io } from './io.ts'

/** Whether an argument is a file, not the name or ID of a service. */
export function isDefinitionFile(argument: string): boolean {
  return argument === '-' || /\.(?:json|hcl)$/.test(argument)
}

/**
 * The services of all files, in order. Throws `config-unreadable` or `definitions-invalid` if one of them
 * has an error, so that none is registered.
 */
export async function readAllRegistrations(
  paths: readonly string[],
  io: Io,
): Promise<readonly ServiceRegistration[]> {
  const { registrationBody } = await import('./registration-body.ts')
  const { findingText } = await import('../agent/files/document.ts')
  const files = await readFiles(paths, io)
  const errors = files.findings.filter(({ severity }) => severity === 'error')
  refuse(errors, findingText)
  for (const { source, check } of files.checks) {
    const place = `${source.path}:${source.line}`
    io.err(
      `svcd: warning: ${place}: the check "${check.checkId}" does not belong to a service and is ignored; to use it, load the file in the agent with -config-dir\n`,
    )
  }
  return files.services.map(({ body }) => registrationBody(body))
}

/** The IDs of all services in the files, including services with errors. */
export async function readAllIds(paths: readonly string[], io: Io): Promise<readonly string[]> {
  const { findingText } = await import('../agent/files/document.ts')
  const { serviceIds, findings } = await readFiles(paths, io)
  refuse(
    findings.filter(({ severity, isWholeFile }) => isWholeFile && severity === 'error'),
    findingText,
  )
  return serviceIds
}

/** Reads files with the code that an agent uses for its own files. */
async function readFiles(paths: readonly string[], io: Io): Promise<DefinitionFiles> {
  const { Loaded, readDefinitions } = await import('../agent/files/document.ts')
  const loaded = new Loaded()
  for (const path of paths) {
    const before = countOf(loaded)
    readDefinitions(path, await readText(path, io), loaded)
    if (countOf(loaded) > before) continue
    throw svcdError('config-unreadable', {
      path,
      reason:
        'the file contains no service with a name; write {"service": {"name": "web", "port": 8080}}',
    })
  }
  return loaded
}

/** The number of services and errors. */
function countOf({ serviceIds, findings }: DefinitionFiles): number {
  return serviceIds.length + findings.filter(({ severity }) => severity === 'error').length
}

async function readText(path: string, io: Io): Promise<string> {
  try {
    return await io.readText(path)
  } catch (error) {
    throw svcdError('config-unreadable', { path, reason: reasonOf(error) }, error)
  }
}

function refuse(errors: readonly Finding[], textOf: (finding: Finding) => string): void {
  const [first, ...more] = errors
  if (first === undefined) return
  if (more.length === 0) {
    const { path, line, column, reason } = first
    throw svcdError('config-unreadable', { path: `${path}:${line}:${column}`, reason })
  }
  const list = errors.map((finding) => `  ${textOf(finding)}`).join('\n')
  throw svcdError('definitions-invalid', { count: errors.length, list })
}
