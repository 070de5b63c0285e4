import { svcdError, type SvcdError } from '../base/errors.ts'
import { must } from '../base/assert.ts'
import { checkDnsName } from './check.ts'
import { Collected } from './collected.ts'
import { judge, readConfigFile, type ConfigFile } from './config-file.ts'
import { conflicts } from './conflicts.ts'
import { consulFlags, consulKeys, consulSynonyms, type ConsulFlag } from './consul-keys.ts'
import { dialledAddress } from './gossip-port.ts'
import { listenAddresses } from './listen-addresses.ts'
import {
  optionNames,
  optionRow,
  type Config,
  type OptionName,
  type OptionValues,
} from './options.ts'
import { envName, type OptionRow } from './option-row.ts'
import { appended, parseTexts, splitSpaces, type Parsed } from './values.ts'

/** Everything a configuration is made of; nothing else is read. */
export interface ConfigSources {
  /** The texts given to each flag, in order; `true` or `false` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<OptionName, readonly string[]>>>
  /** As `flags`, for Consul's flags that are not options of svcd, by their name. */
  readonly consulFlags?: Readonly<Record<string, readonly string[]>> | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** In order: a later file overrides an earlier one. */
  readonly files: readonly ConfigFile[]
  readonly hostName: string
  /** A file could not be read, so rules between options are not checked. */
  readonly isIncomplete?: boolean
}

/** A configuration with all messages about it. */
export interface ReadConfig {
  /** Undefined when there are problems. */
  readonly config: Config | undefined
  /** Errors of the table, each with the option as the user wrote it. */
  readonly problems: readonly SvcdError[]
  /** One line for each setting that is accepted but not used. */
  readonly notices: readonly string[]
}

/** Merges flags over environment over files over defaults, and checks all that needs no disk. */
export function readConfig(sources: ConfigSources): ReadConfig {
  const collected = new Collected()
  for (const file of sources.files) readConfigFile(file, collected)
  readEnv(sources.env, collected)
  readFlags(sources.flags, collected)
  readConsulFlags(sources.consulFlags ?? {}, collected)
  bootstrapAlone(collected)
  const config = settledConfig(sources, collected)
  for (const { option, with: others, reason } of sources.isIncomplete ? [] : conflicts(config)) {
    // A refused option has its default here, which the user did not choose.
    if ([option, ...others].some((name) => collected.hasFailed(name))) continue
    collected.refuse(collected.from(option), reason)
  }
  const { problems, notices } = collected
  return { config: problems.length === 0 ? config : undefined, problems, notices }
}

/** As {@link readConfig}. Throws `invalid-option`, or `options-invalid` that holds all when there are several. */
export function parseConfig(sources: ConfigSources): Config {
  const { config, problems } = readConfig(sources)
  return config ?? refuseAll(problems)
}

/** Throws the errors: one error as it is, several as a list. */
export function refuseAll(problems: readonly SvcdError[]): never {
  const [first, ...more] = problems
  if (first !== undefined && more.length === 0) throw first
  const list = problems.map(({ message }) => `  ${message}`).join('\n')
  throw svcdError('options-invalid', { count: problems.length, list })
}

/** The paths from -config-file and -config-dir, which must be read before the rest. */
export function configPaths(
  { flags, env }: Pick<ConfigSources, 'flags' | 'env'>,
  name: 'configFiles' | 'configDirs',
): readonly string[] {
  return flags[name] ?? env[envName(optionRow(name))]?.split(/\s+/).filter(Boolean) ?? []
}

function settledConfig({ hostName }: ConfigSources, collected: Collected): Config {
  const dev = collected.given.get('dev')?.value === true
  const values = Object.fromEntries(
    optionNames.map((name) => [name, valueOf(name, collected, dev)]),
  ) as unknown as OptionValues
  const nodeName = values.nodeName ?? nodeNameFromHost(hostName, collected)
  const clientAddresses = listenAddresses(values.clientAddresses)
  const settled = {
    nodeName,
    domain: values.domain.replace(/\.$/, '').toLowerCase(),
    altDomain: values.altDomain?.replace(/\.$/, '').toLowerCase(),
    datacenter: values.datacenter.toLowerCase(),
    // Without other servers it forms a cluster of one; otherwise it joins theirs.
    bootstrapExpect: values.bootstrapExpect ?? (values.retryJoin.length > 0 ? 0 : 1),
    clientAddresses,
    httpAddresses: listenAddresses(values.httpAddresses ?? clientAddresses),
    httpsAddresses: listenAddresses(values.httpsAddresses ?? clientAddresses),
    dnsAddresses: listenAddresses(values.dnsAddresses ?? clientAddresses),
    retryJoin: dialled(values, collected),
  }
  return freezeDeep(tree({ ...values, ...settled }))
}

function valueOf(name: OptionName, { given }: Collected, dev: boolean): unknown {
  const row = optionRow(name)
  const set = given.get(name)
  if (set !== undefined) return set.value
  return dev && row.devDefault !== undefined ? row.devDefault : row.default
}

function dialled(values: OptionValues, collected: Collected): readonly string[] {
  const gossipPort = collected.consul.get('ports.serf_lan')?.value
  const own = {
    serverPort: values['ports.server'],
    gossipPort: typeof gossipPort === 'number' ? gossipPort : undefined,
    addresses: [values.advertiseAddress, values.bindAddress],
  }
  return values.retryJoin.map((address) => {
    const dialled = dialledAddress(address, own)
    if (dialled !== address) {
      const reason = `${address} has the port of Consul's gossip protocol, which svcd does not use; svcd connects to ${dialled} instead`
      collected.notice(collected.from('retryJoin'), reason)
    }
    return dialled
  })
}

/** Consul's `bootstrap: true` forms a cluster of one server, which others can join later. */
function bootstrapAlone(collected: Collected): void {
  const { value, from } = collected.consul.get('bootstrap') ?? {}
  if (value !== true || from === undefined) return
  const expected = collected.given.get('bootstrapExpect')?.value
  if (typeof expected === 'number' && expected > 1) {
    const reason = `it forms a cluster of one server, but bootstrap_expect waits for ${expected} servers; remove one of the two`
    return collected.refuse(from, reason)
  }
  collected.given.set('bootstrapExpect', { value: 1, from })
}

function readFlags(flags: ConfigSources['flags'], collected: Collected): void {
  for (const name of optionNames) {
    const texts = flags[name]
    if (texts === undefined) continue
    const row = optionRow(name)
    // A path may hold spaces; the shell has already split the words of this flag.
    const isPaths = name === 'configFiles' || name === 'configDirs'
    collected.take(name, isPaths ? { value: texts } : parseTexts(row, texts), `-${row.flag}`)
  }
}

function readConsulFlags(
  flags: Readonly<Record<string, readonly string[]>>,
  collected: Collected,
): void {
  for (const [flag, texts] of Object.entries(flags)) {
    const known = consulFlags[flag]
    if (known === undefined) continue
    const synonym = consulSynonyms[known.key]
    if (synonym !== undefined) {
      takeAlso(collected, synonym, parseTexts(optionRow(synonym), texts), `-${flag}`)
      continue
    }
    const value = flagValue(known, texts)
    collected.consul.set(known.key, { value, from: `-${flag}` })
    const row = known.row ?? consulKeys[known.key]
    if (row !== undefined) judge(collected, `-${flag}`, row, value)
  }
}

/** `-join a -retry-join b`: Consul joins both. Any flag overrides files and variables. */
function takeAlso(collected: Collected, name: OptionName, parsed: Parsed, from: string): void {
  const earlier = collected.given.get(name)
  const isFlag = earlier?.from.startsWith('-') === true
  collected.take(name, isFlag ? appended(earlier?.value, parsed) : parsed, from)
}

function flagValue({ kind }: ConsulFlag, texts: readonly string[]): unknown {
  const text = texts.at(-1) ?? ''
  if (kind === 'switch') return text === 'true'
  return kind === 'integer' ? Number(text) : text
}

function readEnv(env: ConfigSources['env'], collected: Collected): void {
  for (const name of optionNames) {
    const row = optionRow(name)
    const from = envName(row)
    const text = env[from]
    if (text === undefined || text === '' || isServiceLink(row, text)) continue
    const texts = row.kind === 'texts-by-name' ? splitSpaces(text) : [text]
    collected.take(name, parseTexts(row, texts), from)
  }
}

/**
 * Kubernetes sets SVCD_DNS_PORT=tcp://10.0.0.1:53 in every pod next to a service called svcd-dns; such a
 * value is not an option of svcd.
 */
function isServiceLink(row: OptionRow, text: string): boolean {
  return row.kind === 'integer' && /^(?:tcp|udp):\/\//.test(text)
}

function nodeNameFromHost(hostName: string, collected: Collected): string {
  const reason = checkDnsName(hostName)
  if (reason !== undefined && !collected.hasFailed('nodeName')) {
    const next = 'Set another name with -node'
    collected.refuse(
      '-node',
      `the host name of this machine is not usable as the node name: ${reason}. ${next}`,
      'nodeName',
    )
  }
  return hostName
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
