import { agentCheck, agentService } from '../../definition/agent-registration.ts'
import type { Accepted } from '../../definition/agent-registration.ts'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../../definition/agent-definition.ts'
import { fileCheckShape, fileServiceShape } from '../../definition/definition-shapes.ts'
import type { FileServiceBody } from '../../definition/definition-shapes.ts'
import { SvcdError } from '../../base/errors.ts'
import { serviceFields } from '../../definition/shapes.ts'
import { isOptionKey, type ConfigFile } from '../../config/config-file.ts'
import { definitionKeyOf } from '../../config/definition-keys.ts'
import { isBroken, pathOf, readJson } from '../../config/json-text.ts'
import type { JsonDocument, JsonPath, Position } from '../../config/json-text.ts'
import { isObject } from '../../config/values.ts'

/** Something to say about a file. An `error` leaves that definition, or the whole file, out. */
export interface Finding extends Position {
  readonly path: string
  readonly severity: 'error' | 'warning'
  readonly reason: string
  /** The file could not be read, and options were, or may have been, in it. */
  readonly holdsOptions: boolean
  /** The file could not be read, so its definitions are unknown. */
  readonly isWholeFile: boolean
}

/** Where a definition stands. */
interface Source extends Position {
  readonly path: string
}

export type FileService = AgentServiceDefinition & {
  readonly source: Source
  /** As it stands in the file, in the API's names. */
  readonly body: FileServiceBody
}
export type FileCheck = AgentCheckDefinition & { readonly source: Source }

/** What the files of an agent define. */
export interface DefinitionFiles {
  readonly services: readonly FileService[]
  /** Checks that stand by themselves; those of a service are in its definition. */
  readonly checks: readonly FileCheck[]
  /** What else the files hold, as options to be parsed; files without any are left out. */
  readonly options: readonly ConfigFile[]
  readonly findings: readonly Finding[]
  /** The ids of all services that the files name, also of those that are faulty. */
  readonly serviceIds: readonly string[]
}

const start: Position = { line: 1, column: 1 }

/** `web.json:3:14: Invalid Port: …`, as compilers say it. */
export function findingText({ path, line, column, reason }: Finding): string {
  return `${path}:${line}:${column}: ${reason}`
}

export class Loaded implements DefinitionFiles {
  readonly services: FileService[] = []
  readonly checks: FileCheck[] = []
  readonly options: ConfigFile[] = []
  readonly findings: Finding[] = []
  readonly serviceIds: string[] = []
  readonly #sources = new Map<string, Source>()

  find(source: Source, severity: Finding['severity'], reason: string): void {
    const { path, line, column } = source
    this.findings.push({
      path,
      line,
      column,
      severity,
      reason,
      holdsOptions: false,
      isWholeFile: false,
    })
  }

  /** As {@link find}, for a whole file. */
  findUnread(source: Source, reason: string, holdsOptions: boolean): void {
    const { path, line, column } = source
    const what = { severity: 'error', reason, holdsOptions, isWholeFile: true } as const
    this.findings.push({ path, line, column, ...what })
  }

  /** Editors and templates leave an empty file for a moment. */
  findEmpty(path: string): void {
    const what = { severity: 'warning', holdsOptions: false, isWholeFile: true } as const
    this.findings.push({ path, ...start, ...what, reason: 'the file is empty' })
  }

  addService(definition: AgentServiceDefinition, body: FileServiceBody, source: Source): void {
    const checkIds = definition.checks.map(({ check }) => check.checkId)
    const { id } = definition.service
    const isFirst = this.#claim('service', id, source)
    if (isFirst && checkIds.every((checkId) => this.#claim('check', checkId, source))) {
      this.services.push({ ...definition, body, source })
    }
  }

  addCheck(definition: AgentCheckDefinition, source: Source): void {
    if (this.#claim('check', definition.check.checkId, source)) {
      this.checks.push({ ...definition, source })
    }
  }

  #claim(kind: 'service' | 'check', id: string, source: Source): boolean {
    const key = `${kind}:${id}`
    const first = this.#sources.get(key)
    this.#sources.set(key, first ?? source)
    if (first === undefined) return true
    const where = `${first.path}:${first.line}`
    this.find(source, 'error', `the ${kind} ID ${JSON.stringify(id)} is already used in ${where}`)
    return false
  }
}

export const hclReason =
  'HCL is not supported; write this file as JSON, with the same keys and values, and with a name that ends in .json'

/** Reads the text of one file, as Consul's hold definitions and options, into `loaded`. */
export function readDefinitions(path: string, text: string, loaded: Loaded): void {
  if (path.endsWith('.hcl')) return loaded.findUnread({ path, ...start }, hclReason, true)
  if (/^[\uFEFF\s]*$/.test(text)) return loaded.findEmpty(path)
  const read = readJson(text)
  if (isBroken(read)) {
    if (looksLikeHcl(text)) return loaded.findUnread({ path, ...start }, hclReason, true)
    const holdsOptions = read.keys.some((key) => definitionKeyOf(key) === undefined)
    return loaded.findUnread({ path, ...read.fault }, read.fault.reason, holdsOptions)
  }
  for (const { reason, ...at } of read.duplicates) loaded.find({ path, ...at }, 'warning', reason)
  if (!isObject(read.value)) {
    const reason = 'the file must contain one JSON object, such as {"service": {"name": "web"}}'
    return loaded.findUnread({ path, ...start }, reason, true)
  }
  readDocument(path, read, read.value, loaded)
}

/** Whether a text begins, behind comments, with `key =`, `key {` or `key "name" {`. */
function looksLikeHcl(text: string): boolean {
  const code = text
    .slice(0, 4096)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(?:#|\/\/|\/\*|\*)/.test(line))
  return /^[A-Za-z_][\w-]*\s*(?:=|\{|"[^"]*"\s*\{)/.test(code[0] ?? '')
}

/** `TaggedAddresses` and `tagged_addresses` are one name. */
function fieldKey(key: string): string {
  return key.replaceAll('_', '').toLowerCase()
}

/** Some, such as `connect`, are names of Consul's options as well. */
const serviceFieldKeys: ReadonlySet<string> = new Set(Object.keys(serviceFields).map(fieldKey))

/**
 * One service by itself, as `svcd register` and Consul's API have it: no option is called "name". A file with
 * that and an option has a typing error in it ("name" for "node_name"), and its options may not be lost.
 */
function isBareService(content: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(content)
  return (
    keys.some((key) => key.toLowerCase() === 'name') &&
    keys.every((key) => definitionKeyOf(key)?.startsWith('service') !== true) &&
    keys.every((key) => serviceFieldKeys.has(fieldKey(key)) || !isOptionKey(key))
  )
}

function readDocument(
  path: string,
  document: JsonDocument,
  content: Record<string, unknown>,
  loaded: Loaded,
): void {
  if (isBareService(content)) return readService(path, document, { at: [], item: content }, loaded)
  const others: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(content)) {
    const known = definitionKeyOf(key)
    if (known === undefined) others[key] = value
    else {
      // One where several are meant, or a list of one: Consul's own files have both.
      const list: readonly (readonly [JsonPath, unknown])[] = Array.isArray(value)
        ? value.map((item, n) => [[key, n], item] as const)
        : [[[key], value]]
      const isService = known.startsWith('service')
      for (const [at, item] of list) {
        if (item === null) continue
        if (isService) readService(path, document, { at, item }, loaded)
        else readCheck(path, document, { at, item }, loaded)
      }
    }
  }
  if (Object.keys(others).length > 0) {
    loaded.options.push({ path, content: others, positionOf: (at) => document.positionOf(at) })
  }
}

interface Item {
  readonly at: JsonPath
  readonly item: unknown
}

function readService(path: string, document: JsonDocument, given: Item, loaded: Loaded): void {
  const source = { path, ...document.positionOf(given.at) }
  const id = idOf(given.item)
  if (id !== undefined) loaded.serviceIds.push(id)
  const accepted = judged(path, document, given, loaded, () => {
    const body = fileServiceShape(given.item, '')
    return { ...agentService(body, 'file'), body }
  })
  if (accepted !== undefined) loaded.addService(accepted.definition, accepted.body, source)
}

/** The id of a service, whatever else may be wrong with it. */
function idOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined
  const field = (name: string): unknown =>
    Object.entries(item).find(([key]) => key.toLowerCase() === name)?.[1]
  return [field('id'), field('name')].find((id) => typeof id === 'string' && id !== '') as
    string | undefined
}

function readCheck(path: string, document: JsonDocument, given: Item, loaded: Loaded): void {
  const source = { path, ...document.positionOf(given.at) }
  const accepted = judged(path, document, given, loaded, () =>
    agentCheck(fileCheckShape(given.item, ''), 'file'),
  )
  if (accepted !== undefined) loaded.addCheck(accepted.definition, source)
}

/** Reads one definition by the rules of the API, and puts what is wrong into words of this file. */
function judged<A extends Accepted<unknown>>(
  path: string,
  document: JsonDocument,
  { at }: Item,
  loaded: Loaded,
  read: () => A,
): A | undefined {
  try {
    const accepted = read()
    for (const warning of accepted.warnings) {
      loaded.find({ path, ...document.positionOf(at) }, 'warning', warning)
    }
    return accepted
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    const reason = error.message.replace(/^Request decode failed: (?:json: )?/, '')
    loaded.find({ path, ...faultPosition(document, at, reason) }, 'error', reason)
    return undefined
  }
}

/** Where the field stands that an error of the API names. */
function faultPosition(document: JsonDocument, at: JsonPath, reason: string): Position {
  const unknown = /^unknown field "(.*)"$/.exec(reason)?.[1]
  if (unknown !== undefined) return document.positionOfKey(at, unknown)
  const field = /^Invalid ([^\s:]+)/.exec(reason)?.[1]
  return field === undefined
    ? document.positionOf(at)
    : document.positionOf([...at, ...pathOf(field)])
}
