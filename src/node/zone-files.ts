import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { StaticZone } from '../dns/static-zone.ts'
import { parseZoneFile } from '../dns/zone-file.ts'

/**
 * Reads every `*.zone` file of a directory, in the order of their names. Throws SvcdError
 * `zone-invalid` with file, line and reason, also when two files hold one zone.
 */
export function readZoneFiles(directory: string | undefined): readonly StaticZone[] {
  if (directory === undefined) return []
  const zones = new Map<string, { file: string; zone: StaticZone }>()
  for (const file of zoneFilesIn(directory)) {
    const zone = readZoneFile(file)
    const origin = zone.origin.join('.').toLowerCase()
    const other = zones.get(origin)
    if (other !== undefined) {
      throw svcdError('zone-invalid', {
        reason: `${file}:1: ${other.file} holds ${origin} already`,
      })
    }
    zones.set(origin, { file, zone })
  }
  return [...zones.values()].map(({ zone }) => zone)
}

function zoneFilesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.zone'))
    return names.toSorted().map((name) => join(directory, name))
  } catch (error) {
    throw svcdError('zone-invalid', { reason: `${directory}: ${reasonOf(error)}` }, error)
  }
}

function readZoneFile(file: string): StaticZone {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw svcdError('zone-invalid', { reason: `${file}: ${reasonOf(error)}` }, error)
  }
  const result = parseZoneFile(text, { file })
  if ('zone' in result) return result.zone
  throw svcdError('zone-invalid', { reason: result.faults.slice(0, 10).join('; ') })
}
