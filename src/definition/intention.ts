import { svcdError } from '../base/errors.ts'
import { anyName, defaultNamespace } from '../state/intention/model.ts'
import type { IntentionDefinition, IntentionName } from '../state/intention/model.ts'
import { integer, mapOf, object, text } from './decode.ts'
import type { Reader } from './decode.ts'
import { onlyDefault } from './shapes.ts'
import { checkedName, checkedPort } from './validate.ts'

/** POST and PUT connect/intentions. What a read returns may be sent back. */
export const intentionShape = object({
  ID: text,
  Description: text,
  SourceNS: text,
  SourceName: text,
  SourcePartition: onlyDefault,
  SourcePeer: onlyDefault,
  DestinationNS: text,
  DestinationName: text,
  DestinationPartition: onlyDefault,
  SourceType: text,
  Action: text,
  DefaultAddr: text,
  DefaultPort: integer,
  Meta: mapOf(text),
  Precedence: integer,
  CreatedAt: text,
  UpdatedAt: text,
  Hash: text,
  CreateIndex: integer,
  ModifyIndex: integer,
})

export type IntentionBody = typeof intentionShape extends Reader<infer T> ? T : never

export interface IntentionPair {
  readonly source: IntentionName
  readonly destination: IntentionName
}

/**
 * The definition in a body; the ID is not part of it. `pair`: the names, if the body does not say them. Throws
 * `intention-invalid`, and `invalid-field` for an unusable name.
 */
export function intentionDefinition(body: IntentionBody, pair = pairIn(body)): IntentionDefinition {
  const faults = [...faultsOf(body, pair)]
  if (faults.length > 0) {
    const count = faults.length === 1 ? '1 error' : `${faults.length} errors`
    const lines = faults.map((fault) => `\t* ${fault}`).join('\n')
    throw svcdError('intention-invalid', { count, faults: lines })
  }
  const { source, destination } = pair
  return {
    source: checkedNames(source, 'Source'),
    destination: checkedNames(destination, 'Destination'),
    action: body.Action === 'allow' ? 'allow' : 'deny',
    description: body.Description ?? '',
    meta: body.Meta ?? {},
    defaultAddress: checkedName(body.DefaultAddr ?? '', 'DefaultAddr'),
    defaultPort: checkedPort(body.DefaultPort ?? 0, 'DefaultPort'),
  }
}

/** `web`, or `eng/web` in another namespace. Throws `intention-name-invalid`; `what` is the parameter. */
export function parseIntentionName(given: string, what: string): IntentionName {
  const slash = given.indexOf('/')
  if (slash < 0) return { namespace: defaultNamespace, name: given }
  if (given.includes('/', slash + 1)) {
    throw svcdError('intention-name-invalid', { what, name: JSON.stringify(given) })
  }
  return { namespace: given.slice(0, slash), name: given.slice(slash + 1) }
}

function pairIn(body: IntentionBody): IntentionPair {
  return {
    source: nameIn(body.SourceNS, body.SourceName),
    destination: nameIn(body.DestinationNS, body.DestinationName),
  }
}

function nameIn(namespace = '', name = ''): IntentionName {
  return { namespace: namespace === '' ? defaultNamespace : namespace, name }
}

function checkedNames({ namespace, name }: IntentionName, side: string): IntentionName {
  const field = `${side}NS`
  // It separates the namespace from the name, so no look-up would find it.
  if (namespace.includes('/')) {
    throw svcdError('invalid-field', { field, reason: 'a namespace contains no slash' })
  }
  return { namespace: checkedName(namespace, field), name: checkedName(name, `${side}Name`) }
}

const textBytesMax = 512
const pairsMax = 64
const keyBytesMax = 128

/** Consul's faults, in the order in which it looks. */
function* faultsOf(body: IntentionBody, { source, destination }: IntentionPair): Generator<string> {
  const { Description: description = '', Meta: meta = {} } = body
  if (source.name === '') yield 'SourceName must be set'
  if (destination.name === '') yield 'DestinationName must be set'
  yield* wildcardFaults(source, 'Source')
  yield* wildcardFaults(destination, 'Destination')
  if (Buffer.byteLength(description) > textBytesMax) {
    yield `Description exceeds maximum length ${textBytesMax}`
  }
  const pairs = Object.entries(meta)
  if (pairs.length > pairsMax) yield `Meta exceeds maximum element count ${pairsMax}`
  for (const [key, value] of pairs.slice(0, pairsMax)) {
    const shown = JSON.stringify(key.slice(0, keyBytesMax))
    if (Buffer.byteLength(key) > keyBytesMax) {
      yield `Meta key ${shown} exceeds maximum length ${keyBytesMax}`
    }
    if (Buffer.byteLength(value) > textBytesMax) {
      yield `Meta value for key ${shown} exceeds maximum length ${textBytesMax}`
    }
  }
  if (body.Action !== 'allow' && body.Action !== 'deny') {
    yield "Action must be set to 'allow' or 'deny'"
  }
  if ((body.SourceType ?? '') !== '' && body.SourceType !== 'consul') {
    yield "SourceType must be set to 'consul'"
  }
}

function isPartial(text: string): boolean {
  return text !== anyName && text.includes(anyName)
}

function* wildcardFaults({ namespace, name }: IntentionName, side: string): Generator<string> {
  const partial = "wildcard character '*' cannot be used with partial values"
  if (isPartial(namespace)) yield `${side}NS: ${partial}`
  if (isPartial(name)) yield `${side}Name: ${partial}`
  if (namespace === anyName && name !== anyName) {
    yield `${side}Name: exact value cannot follow wildcard namespace`
  }
}
