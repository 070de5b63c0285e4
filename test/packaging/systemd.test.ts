import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { optionFlags } from '../../src/config/flags.ts'
import { envName } from '../../src/config/option-row.ts'
import { optionNames, optionRow } from '../../src/config/options.ts'
import { svcdBin } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'
import { unitPath, unitValues } from './units.ts'

const root = new URL('../../', import.meta.url)
const units = ['svcd.service', 'svcd-backup.service', 'svcd-backup.timer']
const dropIns = ['port-53.conf', 'script-checks.conf', 'without-koffi.conf']

/** 252 knows `security --offline` and `--threshold`. */
function analyzerMissing(): string | false {
  const absent = missing('systemd-analyze')
  if (absent !== false) return absent
  const text = execFileSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
  const version = Number(/systemd (\d+)/.exec(text)?.[1] ?? 0)
  return version < 252 && `needs systemd 252, this is ${version}`
}
const skip = analyzerMissing()

/** The units in a directory, with the programs that they start present. */
function installedUnits(t: Test, ...withDropIns: readonly string[]): string {
  const directory = t.testdir({ 'svcd.service.d': {} })
  for (const name of units) {
    const text = readFileSync(unitPath(name), 'utf8')
    writeFileSync(join(directory, name), text.replace(/^ExecStart=svcd /m, `ExecStart=${svcdBin} `))
  }
  for (const name of withDropIns) {
    const text = readFileSync(unitPath(`drop-ins/${name}`), 'utf8')
    writeFileSync(join(directory, 'svcd.service.d', name), text)
  }
  return directory
}

function analyze(...args: readonly string[]): {
  readonly code: number | null
  readonly said: string
} {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  return { code: status, said: stdout + stderr }
}

t.test('systemd finds no fault in the units', { skip }, async (t) => {
  for (const without of [[], dropIns]) {
    const directory = installedUnits(t, ...without)
    for (const name of units) {
      const { code, said } = analyze('verify', '--man=no', join(directory, name))
      // Units of the machine itself are read, too, and may have faults.
      const ours = said.split('\n').filter((line) => line.includes('svcd'))
      t.strictSame({ code, ours }, { code: 0, ours: [] }, `${name}, drop-ins: ${without.join()}`)
    }
  }
})

t.test('the exposure of the service is below 3', { skip }, async (t) => {
  const directory = installedUnits(t)
  for (const name of ['svcd.service', 'svcd-backup.service']) {
    const { code, said } = analyze(
      'security',
      '--offline=true',
      '--threshold=29',
      '--no-pager',
      join(directory, name),
    )
    t.equal(code, 0, `${name}: ${/Overall exposure.*/.exec(said)?.[0] ?? said}`)
  }
})

const flags = new Set(optionFlags().map(({ flag }) => flag))
const variables = new Set(optionNames.map((name) => envName(optionRow(name))))

/** The names of the flags in words such as `-node=n1` and `-server`. */
function flagsIn(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => /^--?([a-z][\w-]*)/.exec(word)?.[1] ?? [])
}

t.test('the options in the units and in the Docker files exist', async (t) => {
  const [start = ''] = unitValues('svcd.service', 'ExecStart')
  t.match(start, /^svcd agent -config-dir \/etc\/svcd\.d$/)
  const read = (name: string): string =>
    readFileSync(new URL(`packaging/docker/${name}`, root), 'utf8').replaceAll(/^ *#.*$/gm, '')
  const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(read('Dockerfile')) ?? []
  const compose = read('compose.yaml') + read('compose.cluster.yaml')
  const words = [
    ...start.split(' '),
    ...(JSON.parse(command) as readonly string[]),
    ...[...compose.matchAll(/(?:- |[[ ])(-[a-z][^\s\],]*)/g)].map(([, word = '']) => word),
  ]
  const named = flagsIn(words)
  t.ok(named.length > 10)
  for (const flag of named) t.ok(flags.has(flag), `-${flag}`)
  const set = [...compose.matchAll(/^ +(SVCD_\w+):/gm)].map(([, name = '']) => name)
  t.ok(set.length > 4)
  for (const name of set) t.ok(variables.has(name), name)
})

t.test('the example configuration is valid', async (t) => {
  const path = fileURLToPath(new URL('packaging/etc/svcd.d', root))
  const { status, stdout, stderr } = spawnSync(process.execPath, [svcdBin, 'validate', path], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout + stderr)
})

t.test('the unit and the example agree on the data directory', async (t) => {
  const text = readFileSync(new URL('packaging/etc/svcd.d/svcd.json', root), 'utf8')
  const { data_dir: directory } = JSON.parse(text) as { readonly data_dir: string }
  const [state = ''] = unitValues('svcd.service', 'StateDirectory')
  t.equal(directory, `/var/lib/${state}`)
})
