import type { Database } from 'better-sqlite3'
import { assert } from '../base/assert.ts'
import { hasFields, isListOf, isObject, isOptional, isText } from '../base/shape.ts'
import { aclFamily } from './acl/family.ts'
import { autopilotFamily } from './autopilot/family.ts'
import { catalogFamily } from './catalog/family.ts'
import { dnsCookieFamily } from './dns-cookie/family.ts'
import { eventFamily } from './event/family.ts'
import { intentionFamily } from './intention/family.ts'
import { kvFamily } from './kv/family.ts'
import { kvFormat } from './kv/schema.ts'
import { sessionFamily } from './session/family.ts'
import { Machine, machineTables } from './machine/apply.ts'
import type { AnyBody, BatchCommand, Command, Proposal } from './machine/command.ts'
import type { About, CommandKind, Family } from './machine/family.ts'
import { useFormatShape, useFormatSince } from './machine/used-format.ts'
import type { UseFormatCommand } from './machine/used-format.ts'
import { Versions } from './machine/versions.ts'
import { queryFamily } from './query/family.ts'
import { txnFamily } from './txn/family.ts'

/** All kinds of replicated data. A new one is a line here; all else is a fold over this list. */
export const families = [
  catalogFamily,
  kvFamily,
  sessionFamily,
  queryFamily,
  eventFamily,
  txnFamily,
  aclFamily,
  autopilotFamily,
  intentionFamily,
  dnsCookieFamily,
] as const

type BodyOf<F> = F extends { readonly open: Family<infer Body, never>['open'] } ? Body : never

/** What a command of one family may do. */
export type FamilyBody = BodyOf<(typeof families)[number]>
/** What a command may do. */
export type CommandBody = FamilyBody | BatchCommand<FamilyBody> | UseFormatCommand

const migrations = families
  .flatMap((family) => family.migrations)
  .toSorted((a, b) => a.format - b.format)
for (const [at, { format }] of migrations.entries()) {
  assert(format === at + 1, `one family has the migration to format ${at + 1}`)
}

/** Format of state.db: number n+1 is reached from n by `stateMigrations[n]`. */
export const stateVersion = migrations.length
export const stateMigrations: readonly string[] = migrations.map(({ sql }) => sql)

/** Tables of a state of format `found` whose rows are others in the present format. */
export function tablesChangedSince(found: number): readonly string[] {
  return migrations.filter(({ format }) => format > found).flatMap(({ changes = [] }) => changes)
}

/** The tables whose rows are summed, hashed, counted and restored: all but `meta`. */
export const stateTables: readonly string[] = [
  ...families.flatMap((family) => family.tables),
  ...machineTables,
].map(({ name }) => name)

export function openMachine(db: Database): Machine {
  return new Machine(db, families)
}

/** Versions of all families; `buffer` is that of another thread. */
export function openVersions(buffer?: SharedArrayBuffer): Versions {
  return new Versions(
    families.map(({ name }) => name),
    buffer,
  )
}

const familyKinds: ReadonlyMap<string, CommandKind> = new Map(
  families.flatMap((family) => Object.entries(family.commands)),
)

function isFamilyBody(body: unknown): boolean {
  return isObject(body) && familyKinds.get(String(body['kind']))?.shape(body) === true
}

const isKnownFormat = useFormatShape(stateVersion)
const kinds: ReadonlyMap<string, CommandKind> = new Map<string, CommandKind>([
  ...familyKinds,
  ['batch', { since: kvFormat, shape: hasFields({ bodies: isListOf(isFamilyBody) }) }],
  [
    'use-format',
    {
      since: useFormatSince,
      needs: 'little',
      shape: isKnownFormat,
      about: ({ format }: UseFormatCommand) => ({ format }),
    },
  ],
])

/** The row of a kind of command; undefined: this release does not know it. */
export function commandKind(kind: string): CommandKind | undefined {
  return kinds.get(kind)
}

/** The first format whose servers know all of a command. */
export function formatOf(body: AnyBody): number {
  const own = kinds.get(body.kind)?.since ?? Infinity
  const { bodies = [] } = body as Partial<BatchCommand>
  return bodies.reduce((format, inner) => Math.max(format, formatOf(inner)), own)
}

/** What a command changes, by names and IDs; see {@link CommandKind.about}. */
export function aboutOf(body: AnyBody): About {
  const { bodies } = body as Partial<BatchCommand>
  if (bodies !== undefined) {
    return {
      changes: bodies.map((inner) => ({ operation: inner.kind, ...aboutOf(inner) })),
    }
  }
  return kinds.get(body.kind)?.about?.(body as never) ?? {}
}

/** The JSON of a proposal, for a log that has taken `usedFormat` into use. */
export function printProposal(proposal: Proposal, usedFormat: number): string {
  return JSON.stringify({ ...proposal, body: printedBody(proposal.body, usedFormat) })
}

function printedBody(body: AnyBody, usedFormat: number): object {
  const { bodies } = body as Partial<BatchCommand>
  if (bodies !== undefined) {
    return { ...body, bodies: bodies.map((inner) => printedBody(inner, usedFormat)) }
  }
  const terse = kinds.get(body.kind)?.terse
  return terse === undefined || usedFormat < terse.since ? body : terse.write(body as never)
}

/** Makes a body whole that was parsed as {@link printProposal} printed it. */
export function completeBody(body: AnyBody): void {
  const { bodies } = body as Partial<BatchCommand>
  if (bodies === undefined) kinds.get(body.kind)?.terse?.read(body as never)
  else for (const inner of bodies) completeBody(inner)
}

/**
 * Reads a log entry back. Throws on a version or kind that this svcd does not know: a committed
 * entry is never skipped, the caller must stop.
 */
export function decodeCommand(data: Uint8Array): Command<CommandBody> {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
  const command = JSON.parse(text) as Command
  if (command.version !== 1)
    throw new Error(`command of unknown version ${String(command.version)}`)
  const { kind } = command.body
  if (!kinds.has(kind)) {
    throw new Error(
      `command of unknown kind ${shown(kind)}: a newer release of svcd has written it; start that release`,
    )
  }
  if (kind === 'use-format' && !isKnownFormat(command.body)) {
    throw new Error(
      'command that takes a newer format of the state into use: a newer release of svcd has written it; start that release',
    )
  }
  completeBody(command.body)
  return command as Command<CommandBody>
}

const origin = hasFields({
  requestId: isText,
  actor: isText,
  accessor: isOptional(isText),
  cause: isText,
})

/**
 * Why a proposal that another server sent, as it was parsed, must not enter the log; undefined when it may. What reaches
 * the log is applied by every server, now and after each restart, and cannot be skipped: a command that
 * one of them cannot apply would end them all. So it is judged before.
 */
export function proposalFault(proposal: unknown): string | undefined {
  if (!isObject(proposal)) return 'it is not a proposal'
  if (proposal['version'] !== 1) return `its version is ${shown(proposal['version'])}`
  // Written twice, the later one would count, and not the leader's.
  if ('timeMs' in proposal) return 'it contains a time, which only the leader may set'
  const { body } = proposal
  const kind = isObject(body) ? (body as unknown as AnyBody).kind : undefined
  const row = typeof kind === 'string' ? kinds.get(kind) : undefined
  if (row === undefined) return `it has the unknown kind ${shown(kind)}`
  if (!origin(proposal)) return 'its request ID, actor or cause is missing'
  if (proposal['requestId'] === '') return 'its request ID is empty'
  return row.shape(body) ? undefined : `it is a malformed ${String(kind)}`
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 40)
}
