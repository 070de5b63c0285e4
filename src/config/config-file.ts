import { didYouMean } from '../base/nearest.ts'
import { svcdError } from '../base/errors.ts'
import type { Collected } from './collected.ts'
import { judgeConsulKey, type ConsulKey } from './consul-key.ts'
import { consulKeys, consulSynonyms } from './consul-keys.ts'
import { definitionKeyOf } from './definition-keys.ts'
import type { JsonPath, Position } from './json-text.ts'
import { optionNames, optionRow, type OptionName } from './options.ts'
import { appended, isObject, parseJson } from './values.ts'

/** The content of one config file, already read from JSON. */
export interface ConfigFile {
  readonly path: string
  readonly content: unknown
  /** The position of a value, if it is known. */
  readonly positionOf?: (path: JsonPath) => Position
}

const optionByFileKey: ReadonlyMap<string, OptionName> = new Map([
  ...optionNames.flatMap((name) => {
    const key = optionRow(name).file
    return key === undefined ? [] : [[key, name] as const]
  }),
  ...Object.entries(consulSynonyms),
])

const knownKeys = [...optionByFileKey.keys(), ...Object.keys(consulKeys)]

/** Keys that only contain other keys: `ports`, `dns_config.soa`. */
const sections: ReadonlySet<string> = new Set(
  knownKeys.flatMap((key) => {
    const parts = key.split('.')
    return parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join('.'))
  }),
)

/** Whether a top-level key is an option, contains options, or is a key of Consul; ignores case. */
export function isOptionKey(key: string): boolean {
  const known = key.toLowerCase()
  return optionByFileKey.has(known) || sections.has(known) || Object.hasOwn(consulKeys, known)
}

/** Adds the content of a file to `collected`. Case does not matter in keys, as with Consul. */
export function readConfigFile(file: ConfigFile, collected: Collected): void {
  if (isObject(file.content)) return readSection({ file, collected, path: [] }, file.content)
  const reason = 'the file must contain one JSON object, such as {"node_name": "n1"}'
  collected.problems.push(svcdError('config-unreadable', { path: file.path, reason }))
}

interface Place {
  readonly file: ConfigFile
  readonly collected: Collected
  readonly path: readonly string[]
}

function readSection(place: Place, section: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(section)) {
    // A file can also contain services and checks; the agent reads them separately.
    if (place.path.length === 0 && definitionKeyOf(key) !== undefined) continue
    readKey({ ...place, path: [...place.path, key] }, value)
  }
}

function readKey(place: Place, value: unknown): void {
  const { collected } = place
  const key = place.path.join('.').toLowerCase()
  const name = optionByFileKey.get(key)
  const consulKey = Object.hasOwn(consulKeys, key) ? consulKeys[key] : undefined
  // Templates write null or "" if they have no value; Consul ignores it.
  const isNothing = value === null || value === ''
  if (isNothing && (name !== undefined || consulKey !== undefined || sections.has(key))) return
  if (name !== undefined) return takeOption(place, name, value)
  if (consulKey !== undefined) return takeConsulKey(place, key, consulKey, value)
  if (!sections.has(key)) {
    const hint = didYouMean(place.path.join('.'), knownKeys)
    return collected.refuse(
      fromOf(place),
      `unknown option.${hint} docs/config.md lists all options`,
    )
  }
  // Files converted from HCL have a list with one object instead of an object.
  const section: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (isObject(section)) readSection(place, section)
  else collected.refuse(fromOf(place), 'the value must be an object, such as {"key": …}')
}

function takeConsulKey(place: Place, key: string, row: ConsulKey, value: unknown): void {
  const { file, collected } = place
  collected.consul.set(key, { value, from: fromOf(place) })
  if (key === 'primary_datacenter' && isOwnDatacenter(file.content, value)) return
  judge(collected, fromOf(place), row, value)
}

/** Adds the notice or the problem for a key of Consul. */
export function judge(collected: Collected, from: string, row: ConsulKey, value: unknown): void {
  const verdict = judgeConsulKey(row, value)
  if (verdict.kind === 'taken') collected.notice(from, verdict.reason)
  if (verdict.kind === 'refused') {
    collected.refuse(from, `not supported: ${verdict.reason}`)
  }
}

function isOwnDatacenter(content: unknown, value: unknown): boolean {
  const own = isObject(content) ? (content['datacenter'] ?? 'dc1') : 'dc1'
  if (typeof own !== 'string' || typeof value !== 'string') return false
  return own.toLowerCase() === value.toLowerCase()
}

function takeOption(place: Place, name: OptionName, value: unknown): void {
  const { collected } = place
  const parsed = parseJson(optionRow(name), value)
  const given = collected.given.get(name)
  const earlier = given?.value
  // With `start_join` and `retry_join` in one file, Consul joins both.
  if (given !== undefined && isSynonym(place, name)) {
    return collected.take(name, appended(earlier, parsed), fromOf(place))
  }
  const merges = optionRow(name).kind.endsWith('-by-name') && isObject(earlier)
  const merged =
    merges && 'value' in parsed ? { value: { ...earlier, ...(parsed.value as object) } } : parsed
  collected.take(name, merged, fromOf(place))
}

/** Whether this file has set the option before, under another name. */
function isSynonym({ file, path }: Place, name: OptionName): boolean {
  const key = path.join('.').toLowerCase()
  const names = [...optionByFileKey].filter(([, option]) => option === name).map(([one]) => one)
  if (names.length < 2 || !isObject(file.content)) return false
  const keys = Object.keys(file.content).map((one) => one.toLowerCase())
  return keys.slice(0, keys.indexOf(key)).some((one) => names.includes(one))
}

/** `ports.dns in /etc/svcd.json:3`. */
function fromOf({ file, path }: Place): string {
  const line = file.positionOf === undefined ? '' : `:${file.positionOf(path).line}`
  return `${path.join('.')} in ${file.path}${line}`
}
