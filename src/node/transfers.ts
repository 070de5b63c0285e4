import { readFileSync } from 'node:fs'
import { reasonOf, svcdError } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/options.ts'
import {
  parseSecondary,
  parseTransferRule,
  parseTsigFile,
  parseTsigKey,
} from '../config/transfers.ts'
import type { TsigKeyText } from '../config/transfers.ts'
import type { TransferOptions } from '../resolver/transfer/transfer-options.ts'
import type { TsigKey } from '../transfer/tsig/keys.ts'

type TransferConfig = Pick<Config, 'dns' | 'tsigKeys' | 'tsigKeyFiles'>

/** The keys of signed DNS queries. Throws `invalid-option` for a file without keys, and for two keys of one name. */
export function tsigKeysOf({ tsigKeys, tsigKeyFiles }: TransferConfig): readonly TsigKey[] {
  const inOptions = tsigKeys.map(parseTsigKey).flatMap((key) => ('reason' in key ? [] : [key]))
  const all = [...inOptions, ...tsigKeyFiles.flatMap(readKeys)]
  const names = all.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) {
    const reason = `there are two TSIG keys with the name ${twice}; give each key its own name`
    throw svcdError('invalid-option', { option: '-tsig-key', reason })
  }
  return all.map((key) => ({ ...key, name: key.name.split('.') }))
}

function readKeys(path: string): readonly TsigKeyText[] {
  const option = '-tsig-key-file'
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw svcdError('invalid-option', { option, reason: reasonOf(error) }, error)
  }
  const keys = parseTsigFile(text)
  if (!('reason' in keys)) return keys
  const reason = `"${path}" cannot be used: ${keys.reason}`
  throw svcdError('invalid-option', { option, reason })
}

/** Undefined: zone transfers are off. Throws `invalid-option` for a rule with an unknown key. */
export function transfersOf(
  { dns }: TransferConfig,
  keys: readonly TsigKey[],
  directory: string,
  clock: Clock,
): TransferOptions | undefined {
  const rules = dns.transferAllow.map(parseTransferRule).filter((rule) => rule !== undefined)
  const secondaries = dns.notify.map(parseSecondary).filter((server) => server !== undefined)
  if (rules.length === 0 && secondaries.length === 0) return undefined
  const keyNamed = (option: string, name: string | undefined): TsigKey | undefined => {
    const key = keys.find((each) => each.name.join('.') === name)
    if (name === undefined || key !== undefined) return key
    const reason = `there is no TSIG key "${name}"; give it with -tsig-key or -tsig-key-file`
    throw svcdError('invalid-option', { option, reason })
  }
  return {
    allow: rules.map(({ network, key }) => ({
      network,
      key: keyNamed('-dns-transfer-allow', key)?.name,
    })),
    secondaries: secondaries.map(({ key, ...server }) => ({
      ...server,
      key: keyNamed('-dns-notify', key),
    })),
    directory,
    clock,
  }
}
