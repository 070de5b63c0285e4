import { execFile } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { formatName, readName } from '../../src/dns/name.ts'
import { allRecords } from '../../src/dns/packed-records.ts'
import { encodeData } from '../../src/dns/rdata.ts'
import { formatType } from '../../src/dns/record.ts'
import { parseZoneFile } from '../../src/dns/zone-file/zone-file.ts'
import { missing } from '../helpers/tools.ts'

// What the records of a zone file are in wire form, octet by octet, and that BIND makes the same.

const directory = new URL('./golden/zones/', import.meta.url).pathname
const bytesPath = new URL('./golden/types-rare.txt', import.meta.url).pathname

function line(name: string, type: number, data: Buffer): string {
  return `${name} ${formatType(type)} ${data.toString('hex')}`.trimEnd()
}

/** Name, type and data of each record. */
function ours(file: string): readonly string[] {
  const text = readFileSync(join(directory, file), 'latin1')
  const result = parseZoneFile(text, { file, origin: ['example', 'org'] })
  if ('faults' in result) throw new Error(result.faults.join('\n'))
  return allRecords(result.zone.records)
    .map(({ name, type, data }) => {
      return line(formatName(name), type, Buffer.from(encodeData(data), 'latin1'))
    })
    .toSorted()
}

/** REWRITE=1 writes the file anew, which must be what BIND makes. */
t.test('records of every type are made of the octets that their RFCs say', async (t) => {
  const text = `${ours('types-rare.zone').join('\n')}\n`
  if (process.env['REWRITE'] === '1') writeFileSync(bytesPath, text)
  t.equal(text, readFileSync(bytesPath, 'utf8'))
})

/** The records of a zone in named's raw format (lib/dns/masterdump.c). */
function rawRecords(raw: Buffer): readonly string[] {
  const lines: string[] = []
  // Format, version and time; from version 1 on flags, serial and time of the transfer.
  for (let at = raw.readUInt32BE(4) === 0 ? 12 : 24; at < raw.length;) {
    const end = at + raw.readUInt32BE(at)
    const type = raw.readUInt16BE(at + 6)
    let count = raw.readUInt32BE(at + 14)
    const nameEnd = at + 20 + raw.readUInt16BE(at + 18)
    // A name is read as in a message, which begins with a header.
    const named = Buffer.concat([Buffer.alloc(12), raw.subarray(at + 20, nameEnd)])
    const name = formatName(readName(named, 12, named.length)?.name ?? [])
    for (let data = nameEnd; count > 0; count--) {
      const next = data + 2 + raw.readUInt16BE(data)
      lines.push(line(name, type, raw.subarray(data + 2, next)))
      data = next
    }
    at = end
  }
  return lines.toSorted()
}

/** Those that named-compilezone does not take without the files or checks that it has turned off. */
const skipped = /^bad-|include/

t.test(
  'named-compilezone makes the same octets of each zone file',
  { skip: missing('named-compilezone') },
  async (t) => {
    const output = t.testdir()
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.zone'))) {
      if (skipped.test(file)) continue
      const raw = join(output, `${file}.raw`)
      const args = ['-q', '-i', 'none', '-k', 'ignore', '-n', 'ignore', '-F', 'raw', '-o', raw]
      await promisify(execFile)('named-compilezone', [...args, 'example.org', file], {
        cwd: directory,
      })
      t.strictSame(ours(file), rawRecords(readFileSync(raw)), file)
    }
  },
)
