import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { reasonOf, svcdError } from '../../base/errors.ts'
import { formatName, nameKey, parseName } from '../../dns/name.ts'
import type { Name } from '../../dns/name.ts'
import type { StaticZone } from '../../dns/static-zone.ts'
import { parseZoneFile } from '../../dns/zone-file/zone-file.ts'
import type { Included } from '../../dns/zone-file/zone-file.ts'

export interface ZoneFiles {
  readonly zones: readonly StaticZone[]
  /** Warnings about them, as `file:line: reason`. */
  readonly warnings: readonly string[]
}

const suffix = '.zone'
const faultsShown = 10

/**
 * Reads every `*.zone` file of a directory, in the order of their names. Until its first `$ORIGIN` a
 * file's origin is its name: `example.org.zone`. Throws SvcdError `zone-invalid` with file, line and
 * reason, also when two files hold one zone, or one of the registry's `domains`.
 */
export function readZoneFiles(
  directory: string | undefined,
  domains: readonly Name[] = [],
): ZoneFiles {
  if (directory === undefined) return { zones: [], warnings: [] }
  const zones = new Map<string, { file: string; zone: StaticZone }>()
  const warnings: string[] = []
  for (const file of zoneFilesIn(directory)) {
    const read = readZoneFile(file, domains)
    const { origin } = read.zone
    const key = nameKey(origin)
    const other = zones.get(key)
    if (other !== undefined) {
      const reason = `${file}:1: ${other.file} already defines ${formatName(origin)}`
      throw svcdError('zone-invalid', { reason })
    }
    zones.set(key, { file, zone: read.zone })
    warnings.push(...read.warnings)
  }
  return { zones: [...zones.values()].map(({ zone }) => zone), warnings }
}

/** The directory `zones` of the data directory, if there is one. */
export function zonesIn(dataDirectory: string): string | undefined {
  const directory = join(dataDirectory, 'zones')
  return existsSync(directory) ? directory : undefined
}

function zoneFilesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(suffix))
    return names.toSorted().map((name) => join(directory, name))
  } catch (error) {
    throw svcdError('zone-invalid', { reason: `${directory}: ${reasonOf(error)}` }, error)
  }
}

function readZoneFile(
  file: string,
  domains: readonly Name[],
): { zone: StaticZone; warnings: readonly string[] } {
  let text: string
  try {
    text = readOctets(file)
  } catch (error) {
    throw svcdError('zone-invalid', { reason: `${file}: ${reasonOf(error)}` }, error)
  }
  const origin = parseName(basename(file, suffix))
  const result = parseZoneFile(text, { file, origin, domains, include: readIncluded })
  if ('zone' in result) return result
  const { faults } = result
  const shown = faults.slice(0, faultsShown).join('; ')
  const more = faults.length > faultsShown ? `; and ${faults.length - faultsShown} more` : ''
  throw svcdError('zone-invalid', { reason: shown + more })
}

/** A path is relative to the file that names it, wherever svcd was started. */
export function readIncluded(path: string, from: string): Included {
  const file = resolve(dirname(from), path)
  try {
    return { file, text: readOctets(file) }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}

/** One character an octet: names and texts of a zone are octets, of whatever encoding. */
function readOctets(file: string): string {
  return readFileSync(file, 'latin1')
}
