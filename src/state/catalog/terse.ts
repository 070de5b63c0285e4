import type { Terse } from '../machine/family.ts'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from './model.ts'
import { plainDefaults } from './service-fields.ts'
import { terseFormat } from './schema.ts'

// How the log has a registration: without what is default, which is two fifths of its bytes.

type Fields = Readonly<Record<string, unknown>>

// Commands share them after they were read.
const none = Object.freeze({})
const noTags: readonly string[] = Object.freeze([])

export const nodeDefaults = {
  id: '',
  taggedAddresses: none,
  meta: none,
} satisfies Partial<NodeDefinition>

export const serviceDefaults = {
  address: '',
  port: 0,
  tags: noTags,
  meta: none,
  weights: Object.freeze({ passing: 1, warning: 1 }),
  taggedAddresses: none,
  ...plainDefaults,
  extra: none,
} satisfies Partial<ServiceDefinition>

export const checkDefaults = {
  notes: '',
  output: '',
  serviceId: '',
  type: '',
  interval: '',
  timeout: '',
  definition: none,
} satisfies Partial<CheckDefinition>

/** A command and a definition may be without it. */
const noEvidence = { ...checkDefaults, evidence: '' }

export const registerDefaults = { replaceChecks: false }

/** A RegisterCommand, as far as it is of interest here. */
interface Registration {
  readonly node?: NodeDefinition | undefined
  readonly service?: ServiceDefinition | undefined
  readonly checks: readonly CheckDefinition[]
}

export const terseRegister: Terse<Registration> = {
  since: terseFormat,
  write(body) {
    const { node, service, checks } = body
    return {
      ...without(body, registerDefaults),
      node: node && without(node, nodeDefaults),
      service: service && without(service, serviceDefaults),
      checks: checks.map((check) => without(check, noEvidence)),
    }
  },
  read(body) {
    fill(body, registerDefaults)
    if (body.node !== undefined) fill(body.node, nodeDefaults)
    if (body.service !== undefined) fill(body.service, serviceDefaults)
    for (const check of body.checks) fill(check, checkDefaults)
  },
}

function without(fields: object, defaults: Fields): object {
  const rest: Record<string, unknown> = { ...fields }
  // JSON leaves out what is undefined.
  for (const name in defaults) if (isSame(rest[name], defaults[name])) rest[name] = undefined
  return rest
}

/** Of values that are texts, numbers, flags, or have such values. */
function isSame(value: unknown, other: unknown): boolean {
  if (typeof other !== 'object' || typeof value !== 'object') return value === other
  const [one, two] = [value as Fields, other as Fields]
  for (const name in one) if (one[name] !== two[name]) return false
  for (const name in two) if (!(name in one)) return false
  return true
}

function fill(fields: object, defaults: Fields): void {
  const filled = fields as Record<string, unknown>
  for (const name in defaults) filled[name] ??= defaults[name]
}
