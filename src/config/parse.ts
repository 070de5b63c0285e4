import { svcdError, type SvcdError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { must } from '../base/assert.ts'
import { definitionKeyOf } from './definition-keys.ts'
import { checkDnsName } from './check.ts'
import {
  optionNames,
  optionRow,
  type Config,
  type OptionName,
  type OptionValues,
} from './options.ts'
import { envName, type OptionRow } from './option-row.ts'
import { listenAddresses } from './listen-addresses.ts'
import { settledKeys, settledProblem } from './settled.ts'
import { isObject, parseJson, parseTexts, type Parsed } from './values.ts'

/** The content of one config file, already read from JSON. */
export interface ConfigFile {
  readonly path: string
  readonly content: unknown
}

/** Everything a configuration is made of; nothing else is read. */
export interface ConfigSources {
  /** The texts given to each flag, in order; `true` or `false` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<OptionName, readonly string[]>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** In order: a later file wins. */
  readonly files: readonly ConfigFile[]
  readonly hostName: string
}

/** A value and, for messages, who gave it. */
interface Given {
  readonly value: unknown
  readonly from: string
}

type GivenByName = ReadonlyMap<OptionName, Given>

/**
 * Merges flags over environment over files over defaults, and checks all that needs no disk.
 * Throws `invalid-option`, naming the option as whoever set it wrote it.
 */
export function parseConfig(sources: ConfigSources): Config {
  const given = new Map<OptionName, Given>()
  for (const file of sources.files) readFile(file, given)
  readEnv(sources.env, given)
  readFlags(sources.flags, given)
  const dev = given.get('dev')?.value === true
  const values = Object.fromEntries(
    optionNames.map((name) => [name, valueOf(name, given, dev)]),
  ) as unknown as OptionValues
  const nodeName = values.nodeName ?? nodeNameFromHost(sources.hostName)
  const domain = values.domain.replace(/\.$/, '').toLowerCase()
  const altDomain = values.altDomain?.replace(/\.$/, '').toLowerCase()
  // Alone it starts a cluster of one; with others named it joins theirs.
  const bootstrapExpect = values.bootstrapExpect ?? (values.retryJoin.length > 0 ? 0 : 1)
  const clientAddresses = listenAddresses(values.clientAddresses)
  const settled = { nodeName, domain, altDomain, bootstrapExpect, clientAddresses }
  const config = freezeDeep(tree({ ...values, ...settled }))
  checkTogether(config, given)
  return config
}

/** The paths given by -config-file and -config-dir, which have to be read before the rest. */
export function configPaths(
  { flags, env }: Pick<ConfigSources, 'flags' | 'env'>,
  name: 'configFiles' | 'configDirs',
): readonly string[] {
  return flags[name] ?? env[envName(optionRow(name))]?.split(/\s+/).filter(Boolean) ?? []
}

function valueOf(name: OptionName, given: GivenByName, dev: boolean): unknown {
  const row = optionRow(name)
  const set = given.get(name)
  if (set !== undefined) return set.value
  return dev && row.devDefault !== undefined ? row.devDefault : row.default
}

function readFlags(flags: ConfigSources['flags'], given: Map<OptionName, Given>): void {
  for (const name of optionNames) {
    const texts = flags[name]
    if (texts === undefined) continue
    const row = optionRow(name)
    const from = `-${row.flag}`
    // A path may hold spaces; the shell has already split the words of this flag.
    const isPaths = name === 'configFiles' || name === 'configDirs'
    const parsed = isPaths ? { value: texts } : parseTexts(row, texts)
    give(name, parsed, from, given)
  }
}

function readEnv(env: ConfigSources['env'], given: Map<OptionName, Given>): void {
  for (const name of optionNames) {
    const row = optionRow(name)
    const from = envName(row)
    const text = env[from]
    if (text === undefined || text === '' || isServiceLink(row, text)) continue
    give(name, parseTexts(row, [text]), from, given)
  }
}

/**
 * Kubernetes sets SVCD_DNS_PORT=tcp://10.0.0.1:53 in every pod beside a service called svcd-dns;
 * such a value was not meant for us.
 */
function isServiceLink(row: OptionRow, text: string): boolean {
  return row.kind === 'integer' && /^(?:tcp|udp):\/\//.test(text)
}

const optionByFileKey: ReadonlyMap<string, OptionName> = new Map(
  optionNames.flatMap((name) => {
    const key = optionRow(name).file
    return key === undefined ? [] : [[key, name] as const]
  }),
)

function readFile(file: ConfigFile, given: Map<OptionName, Given>): void {
  if (!isObject(file.content)) {
    throw svcdError('config-unreadable', {
      path: file.path,
      reason: 'the file must hold one JSON object, such as {"node_name": "n1"}',
    })
  }
  readSection(file.content, '', file.path, given)
}

function readSection(
  section: Record<string, unknown>,
  prefix: string,
  path: string,
  given: Map<OptionName, Given>,
): void {
  for (const [key, value] of Object.entries(section)) {
    const fullKey = prefix + key
    const from = `${fullKey} in ${path}`
    const name = optionByFileKey.get(fullKey)
    // Services and checks may stand beside options; the agent reads them for itself.
    if (prefix === '' && definitionKeyOf(key) !== undefined) continue
    if (name !== undefined) giveFromFile(name, value, from, given)
    else if (fullKey in settledKeys) checkSettled(fullKey, value, from)
    else if (!isSection(fullKey)) throw unknownKey(fullKey, from)
    else if (isObject(value)) readSection(value, `${fullKey}.`, path, given)
    else throw invalid(from, 'must be an object')
  }
}

function checkSettled(key: string, value: unknown, from: string): void {
  const reason = settledProblem(key, value)
  if (reason !== undefined) throw invalid(from, reason)
}

function giveFromFile(
  name: OptionName,
  value: unknown,
  from: string,
  given: Map<OptionName, Given>,
): void {
  const parsed = parseJson(optionRow(name), value)
  const earlier = given.get(name)?.value
  const merges = optionRow(name).kind === 'seconds-by-name' && isObject(earlier)
  const merged =
    merges && 'value' in parsed ? { value: { ...earlier, ...(parsed.value as object) } } : parsed
  give(name, merged, from, given)
}

function isSection(key: string): boolean {
  return [...optionByFileKey.keys()].some((known) => known.startsWith(`${key}.`))
}

function unknownKey(key: string, from: string): SvcdError {
  const hint = didYouMean(key, [...optionByFileKey.keys()])
  return invalid(from, `no such option.${hint} docs/config.md lists them all`)
}

function give(name: OptionName, parsed: Parsed, from: string, given: Map<OptionName, Given>): void {
  const row = optionRow(name)
  if ('reason' in parsed) {
    const isSecret = row.isSecret === true
    throw invalid(from, isSecret ? 'what it says is not a text or a list of texts' : parsed.reason)
  }
  if ('check' in row) {
    const check = row.check as (value: unknown) => string | undefined
    const reason = check(parsed.value)
    if (reason !== undefined) throw invalid(from, reason)
  }
  given.set(name, { value: parsed.value, from })
}

function nodeNameFromHost(hostName: string): string {
  const reason = checkDnsName(hostName)
  if (reason === undefined) return hostName
  throw invalid('-node', `this machine's host name ${reason}. Give the node a name with -node`)
}

/** The rules between options. */
function checkTogether(config: Config, given: GivenByName): void {
  const from = (name: OptionName): string => given.get(name)?.from ?? `-${optionRow(name).flag}`
  checkCluster(config, from)
  if (!config.server) {
    const reason = config.dev
      ? '-dev runs a server; leave it out'
      : 'this version has no client agents yet; start a server with -server -data-dir PATH, or try it out with -dev'
    throw invalid(from('server'), reason)
  }
  checkDataDir(config, from)
  const { dns, http } = config.ports
  if (dns === http && dns > 0) {
    throw invalid(from('ports.dns'), `port ${dns} is also the HTTP port; both need TCP`)
  }
  checkNodeNameFits(config, from)
}

function checkCluster(config: Config, from: (name: OptionName) => string): void {
  if (!config.encryptVerify && config.encrypt.length === 0) {
    throw invalid(from('encryptVerify'), 'there is no secret to verify; give -encrypt, too')
  }
  const { bootstrapExpect, retryJoin, dev, peerTls } = config
  if (dev && bootstrapExpect !== 1) {
    throw invalid(from('bootstrapExpect'), '-dev runs one server; use -server for a cluster')
  }
  if (bootstrapExpect === 0 && retryJoin.length === 0) {
    throw invalid(
      from('bootstrapExpect'),
      'with 0 a server joins a cluster that runs: name one of its servers with -retry-join',
    )
  }
  if (bootstrapExpect > 1 && retryJoin.length === 0) {
    throw invalid(
      from('bootstrapExpect'),
      `the other ${bootstrapExpect - 1} servers have to be found: name them with -retry-join`,
    )
  }
  const { certFile, keyFile } = config.checks
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const missing = certFile === undefined ? 'checks.certFile' : 'checks.keyFile'
    throw invalid(from(missing), 'give -check-cert-file and -check-key-file together, or none')
  }
  const given = [peerTls.certFile, peerTls.keyFile, peerTls.caFile]
  if (given.some((file) => file !== undefined) && given.includes(undefined)) {
    const missing = (['certFile', 'keyFile', 'caFile'] as const).find(
      (name) => peerTls[name] === undefined,
    )
    throw invalid(
      from(`peerTls.${missing ?? 'caFile'}`),
      'give -peer-cert-file, -peer-key-file and -peer-ca-file together, or none',
    )
  }
}

function checkDataDir(config: Config, from: (name: OptionName) => string): void {
  if (config.dev && config.dataDir !== undefined) {
    throw invalid(
      from('dataDir'),
      '-dev keeps its data in a temporary directory and removes it on stop; leave one of the two out, or use -server',
    )
  }
  if (!config.dev && config.dataDir === undefined) {
    throw invalid('-data-dir', 'a server needs a directory for its data; name one, or use -dev')
  }
}

function checkNodeNameFits(config: Config, from: (name: OptionName) => string): void {
  const { altDomain, domain } = config
  if (altDomain === domain) {
    throw invalid(from('altDomain'), `${altDomain} is the domain already; name another, or none`)
  }
  for (const each of altDomain === undefined ? [domain] : [domain, altDomain]) {
    const fullName = `${config.nodeName}.node.${config.datacenter}.${each}`
    if (fullName.length <= 253) continue
    throw invalid(
      from('nodeName'),
      `${fullName} would have ${fullName.length} characters; DNS allows 253`,
    )
  }
}

function invalid(option: string, reason: string): SvcdError {
  return svcdError('invalid-option', { option, reason })
}

/** `{'ports.dns': 1}` becomes `{ports: {dns: 1}}`. */
function tree(values: Readonly<Record<string, unknown>>): Config {
  const root: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    const path = name.split('.')
    let at = root
    for (const part of path.slice(0, -1)) {
      at[part] ??= {}
      at = at[part] as Record<string, unknown>
    }
    at[must(path.at(-1))] = value
  }
  return root as unknown as Config
}

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freezeDeep)
  }
  return value
}
