import {
  hasFields,
  isFlag,
  isListOf,
  isObject,
  isOneOf,
  isOptional,
  isRecordOf,
  isText,
  isWhole,
} from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandBody } from './command.ts'

// What reaches the log is applied by every server, now and after each restart, and cannot be skipped:
// a command that one of them cannot apply would end them all. So it is judged before.

const anything: Shape = () => true
const address = hasFields({ address: isText, port: isWhole })

const node = hasFields({
  name: isText,
  id: isText,
  address: isText,
  taggedAddresses: isRecordOf(isText),
  meta: isRecordOf(isText),
})

const service = hasFields({
  id: isText,
  name: isText,
  address: isText,
  port: isWhole,
  tags: isListOf(isText),
  meta: isRecordOf(isText),
  weights: hasFields({ passing: isWhole, warning: isWhole }),
  taggedAddresses: isRecordOf(address),
  enableTagOverride: isFlag,
  owner: isOneOf('agent', 'catalog', 'file', 'lease'),
  extra: isRecordOf(anything),
})

const status = isOneOf('passing', 'warning', 'critical')

const check = hasFields({
  checkId: isText,
  name: isText,
  status,
  notes: isText,
  output: isText,
  serviceId: isText,
  type: isText,
  interval: isText,
  timeout: isText,
  definition: isRecordOf(anything),
})

const bodies: Readonly<Record<CommandBody['kind'], Shape>> = {
  register: hasFields({
    nodeName: isText,
    node: isOptional(node),
    isNodeKept: isOptional(isFlag),
    service: isOptional(service),
    checks: isListOf(check),
    replaceChecks: isFlag,
  }),
  deregister: hasFields({
    nodeName: isText,
    serviceId: isOptional(isText),
    checkId: isOptional(isText),
  }),
  'update-check': hasFields({ nodeName: isText, checkId: isText, status, output: isText }),
}

const origin = hasFields({ requestId: isText, actor: isText, cause: isText })

/** Why a proposal that another server sent must not enter the log; undefined when it may. */
export function proposalFault(json: unknown): string | undefined {
  // `stampProposal` writes the time behind the first character.
  if (typeof json !== 'string' || !json.startsWith('{')) return 'it is not a proposal'
  const proposal = parsed(json)
  if (!isObject(proposal)) return 'it is not JSON'
  if (proposal['version'] !== 1) return `its version is ${shown(proposal['version'])}`
  // Written twice, the later one would count, and not the leader's.
  if ('timeMs' in proposal) return 'it contains a time, which only the leader may set'
  const { body } = proposal
  const kind = isObject(body) ? body['kind'] : undefined
  if (typeof kind !== 'string' || !Object.hasOwn(bodies, kind)) {
    return `it has the unknown kind ${shown(kind)}`
  }
  if (!origin(proposal)) return 'its request ID, actor or cause is missing'
  if (proposal['requestId'] === '') return 'its request ID is empty'
  return bodies[kind as CommandBody['kind']](body) ? undefined : `it is a malformed ${kind}`
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 40)
}
