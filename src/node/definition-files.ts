import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { agentCheck, agentService } from '../api/agent-registration.ts'
import type { Accepted } from '../api/agent-registration.ts'
import type { AgentCheckDefinition, AgentServiceDefinition } from '../api/backend.ts'
import { fileCheckShape, fileServiceShape } from '../api/definition-shapes.ts'
import { SvcdError, reasonOf } from '../base/errors.ts'
import { definitionKeyOf } from '../config/definition-keys.ts'
import { isBroken, pathOf, readJson } from '../config/json-text.ts'
import type { JsonDocument, JsonPath, Position } from '../config/json-text.ts'
import type { ConfigFile } from '../config/parse.ts'
import { isObject } from '../config/values.ts'

/** Something to say about a file. An `error` leaves that definition, or the whole file, out. */
export interface Finding extends Position {
  readonly path: string
  readonly severity: 'error' | 'warning'
  readonly reason: string
  /** The file could not be read, and options were, or may have been, in it. */
  readonly holdsOptions: boolean
}

/** Where a definition stands. */
interface Source extends Position {
  readonly path: string
}

export type FileService = AgentServiceDefinition & { readonly source: Source }
export type FileCheck = AgentCheckDefinition & { readonly source: Source }

/** What the files of an agent define. */
export interface DefinitionFiles {
  readonly services: readonly FileService[]
  /** Checks that stand by themselves; those of a service are in its definition. */
  readonly checks: readonly FileCheck[]
  /** What else the files hold, as options to be parsed; files without any are left out. */
  readonly options: readonly ConfigFile[]
  readonly findings: readonly Finding[]
}

const fileBytesMax = 16 * 1024 * 1024

/**
 * Reads service and check definitions, as Consul's files hold them, from files and from the `*.json`
 * of directories, in order of name. What is wrong is told by file, line and reason, and the rest is
 * read. Never rejects.
 */
export async function loadDefinitionFiles(paths: readonly string[]): Promise<DefinitionFiles> {
  const loaded = new Loaded()
  for (const path of paths) {
    for (const file of await filesAt(path, loaded)) await loadFile(file, loaded)
  }
  return loaded
}

/** `web.json:3:14: Invalid Port: …`, as compilers say it. */
export function findingText({ path, line, column, reason }: Finding): string {
  return `${path}:${line}:${column}: ${reason}`
}

class Loaded implements DefinitionFiles {
  readonly services: FileService[] = []
  readonly checks: FileCheck[] = []
  readonly options: ConfigFile[] = []
  readonly findings: Finding[] = []
  readonly #sources = new Map<string, Source>()

  find(source: Source, severity: Finding['severity'], reason: string, holdsOptions = false): void {
    const { path, line, column } = source
    this.findings.push({ path, line, column, severity, reason, holdsOptions })
  }

  addService(definition: AgentServiceDefinition, source: Source): void {
    const checkIds = definition.checks.map(({ check }) => check.checkId)
    const { id } = definition.service
    const isFirst = this.#claim('service', id, source)
    if (isFirst && checkIds.every((checkId) => this.#claim('check', checkId, source))) {
      this.services.push({ ...definition, source })
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
    this.find(source, 'error', `the ${kind} ID ${JSON.stringify(id)} is taken, by ${where}`)
    return false
  }
}

const start: Position = { line: 1, column: 1 }

async function filesAt(path: string, loaded: Loaded): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    // Consul looks at these two endings only, in order of name; a leading dot marks editors' files.
    const names = (await readdir(path)).filter((name) => /^[^.].*\.(?:json|hcl)$/.test(name))
    for (const name of names.filter((hcl) => hcl.endsWith('.hcl'))) {
      const source = { path: join(path, name), ...start }
      loaded.find(source, 'warning', 'HCL is not read; write this file as JSON')
    }
    return names
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => join(path, name))
  } catch (error) {
    loaded.find({ path, ...start }, 'error', `cannot be read: ${reasonOf(error)}`, true)
    return []
  }
}

async function loadFile(path: string, loaded: Loaded): Promise<void> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes; the limit is ${fileBytesMax}`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    return loaded.find({ path, ...start }, 'error', `cannot be read: ${reasonOf(error)}`, true)
  }
  const read = readJson(text)
  if (isBroken(read)) {
    const holdsOptions = read.keys.some((key) => definitionKeyOf(key) === undefined)
    return loaded.find({ path, ...read.fault }, 'error', read.fault.reason, holdsOptions)
  }
  for (const { reason, ...at } of read.duplicates) loaded.find({ path, ...at }, 'warning', reason)
  if (!isObject(read.value)) {
    const reason = 'the file must hold one JSON object, such as {"service": {"name": "web"}}'
    return loaded.find({ path, ...start }, 'error', reason)
  }
  readDocument(path, read, read.value, loaded)
}

function readDocument(
  path: string,
  document: JsonDocument,
  content: Record<string, unknown>,
  loaded: Loaded,
): void {
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
  if (Object.keys(others).length > 0) loaded.options.push({ path, content: others })
}

interface Item {
  readonly at: JsonPath
  readonly item: unknown
}

function readService(path: string, document: JsonDocument, given: Item, loaded: Loaded): void {
  const source = { path, ...document.positionOf(given.at) }
  const accepted = judged(path, document, given, loaded, () =>
    agentService(fileServiceShape(given.item, ''), 'file'),
  )
  if (accepted !== undefined) loaded.addService(accepted.definition, source)
}

function readCheck(path: string, document: JsonDocument, given: Item, loaded: Loaded): void {
  const source = { path, ...document.positionOf(given.at) }
  const accepted = judged(path, document, given, loaded, () =>
    agentCheck(fileCheckShape(given.item, ''), 'file'),
  )
  if (accepted !== undefined) loaded.addCheck(accepted.definition, source)
}

/** Reads one definition by the rules of the API, and puts what is wrong into words of this file. */
function judged<T>(
  path: string,
  document: JsonDocument,
  { at }: Item,
  loaded: Loaded,
  read: () => Accepted<T>,
): Accepted<T> | undefined {
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
