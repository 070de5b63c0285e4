import { execFile } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { allRecords } from '../../src/dns/packed-records.ts'
import { parseZoneFile } from '../../src/dns/zone-file/zone-file.ts'
import type { Included, ZoneFileResult } from '../../src/dns/zone-file/zone-file.ts'
import { missing } from '../helpers/tools.ts'

// Zone files, good and bad: what is said of each, and that named-checkzone says the same.

const directory = new URL('./golden/zones/', import.meta.url).pathname
const verdictsPath = new URL('./golden/verdicts.txt', import.meta.url).pathname
const files = readdirSync(directory).filter((name) => name.endsWith('.zone'))

function include(path: string, from: string): Included {
  const file = join(dirname(from), path)
  if (!existsSync(join(directory, file))) return { reason: 'there is no such file' }
  return { file, text: readFileSync(join(directory, file), 'latin1') }
}

function parse(file: string): ZoneFileResult {
  const text = readFileSync(join(directory, file), 'latin1')
  return parseZoneFile(text, { file, origin: ['example', 'org'], include })
}

/** REWRITE=1 writes the file anew: commit it only when you understand what changed it. */
t.test('each zone file is served or refused for the reason given', async (t) => {
  const verdicts = files.flatMap((file) => {
    const result = parse(file)
    const warnings = result.warnings.map((warning) => `  warning: ${warning}`)
    if ('faults' in result) return [`${file}: refused`, ...indent(result.faults), ...warnings]
    return [`${file}: ${allRecords(result.zone.records).length} records`, ...warnings]
  })
  const text = `${verdicts.join('\n')}\n`
  if (process.env['REWRITE'] === '1') writeFileSync(verdictsPath, text)
  t.equal(text, readFileSync(verdictsPath, 'utf8'))
  for (const file of files) t.equal('faults' in parse(file), file.startsWith('bad-'), file)
})

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}

t.test('named-checkzone has the same verdict', { skip: missing('named-checkzone') }, async (t) => {
  const check = async (file: string): Promise<string> => {
    try {
      await promisify(execFile)('named-checkzone', ['-i', 'local', 'example.org', file], {
        cwd: directory,
      })
      return ''
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }
  const atOnce = 16
  for (let at = 0; at < files.length; at += atOnce) {
    const some = files.slice(at, at + atOnce)
    const said = await Promise.all(some.map(check))
    for (const [index, file] of some.entries()) {
      t.equal(said[index] !== '', file.startsWith('bad-'), `${file} ${said[index]}`)
    }
  }
})
