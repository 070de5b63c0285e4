import {
  hasFields,
  isFlag,
  isListOf,
  isOneOf,
  isOptional,
  isRecordOf,
  isText,
  isWhole,
} from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { plainShapes } from './service-fields.ts'
import {
  checkDefaults,
  nodeDefaults,
  registerDefaults,
  serviceDefaults,
  terseRegister,
} from './terse.ts'
import type {
  CheckDefinition,
  Evidence,
  NodeDefinition,
  ServiceDefinition,
  Status,
} from './model.ts'

/** Adds or replaces a node, at most one service on it, and checks: Consul's catalog registration. */
export interface RegisterCommand {
  readonly kind: 'register'
  readonly nodeName: string
  /** Undefined: the node must exist and stays as it is. */
  readonly node?: NodeDefinition | undefined
  /**
   * `node` is for a node that does not exist yet; an existing one stays as it is (Consul's
   * SkipNodeUpdate).
   */
  readonly isNodeKept?: boolean | undefined
  readonly service?: ServiceDefinition | undefined
  readonly checks: readonly CheckDefinition[]
  /** True: checks of this service that are not listed are removed. */
  readonly replaceChecks: boolean
}

/** Removes a check, a service with its checks, or (neither given) a node with all on it. */
export interface DeregisterCommand {
  readonly kind: 'deregister'
  readonly nodeName: string
  readonly serviceId?: string | undefined
  readonly checkId?: string | undefined
}

/** A check changed its status (or, rarely, only its output). Unknown check: no change. */
export interface UpdateCheckCommand {
  readonly kind: 'update-check'
  readonly nodeName: string
  readonly checkId: string
  readonly status: Status
  /** As in a check's definition. */
  readonly evidence?: Evidence
  readonly output: string
}

export type CatalogCommand = RegisterCommand | DeregisterCommand | UpdateCheckCommand

const anything: Shape = () => true
const address = hasFields({ address: isText, port: isWhole })

/** The fields that have a default may be absent: see `terse.ts`. */
function hasFieldsBut(defaults: object, fields: Readonly<Record<string, Shape>>): Shape {
  const shapes = Object.entries(fields).map(
    ([name, shape]) => [name, name in defaults ? isOptional(shape) : shape] as const,
  )
  return hasFields(Object.fromEntries(shapes))
}

const nodeFields = {
  name: isText,
  id: isText,
  address: isText,
  taggedAddresses: isRecordOf(isText),
  meta: isRecordOf(isText),
}

/** Of a {@link NodeDefinition}. */
export const nodeShape: Shape = hasFields(nodeFields)

const serviceFields = {
  id: isText,
  name: isText,
  address: isText,
  port: isWhole,
  tags: isListOf(isText),
  meta: isRecordOf(isText),
  weights: hasFields({ passing: isWhole, warning: isWhole }),
  taggedAddresses: isRecordOf(address),
  ...plainShapes,
  owner: isOneOf('agent', 'catalog', 'file', 'lease'),
  extra: isRecordOf(anything),
}

/** Of a {@link ServiceDefinition}. */
export const serviceShape: Shape = hasFields(serviceFields)

const status = isOneOf('passing', 'warning', 'critical')
// A server of an older release takes a command with this field, and does not know the field. So no server
// heeds it before the format that has it is in use (`machine/used-format.ts`): before that, and wherever the
// log is applied, the row is the same.
const evidence = isOptional(isOneOf('', 'proof', 'absence', 'intent'))

const checkFields = {
  checkId: isText,
  name: isText,
  status,
  evidence,
  notes: isText,
  output: isText,
  serviceId: isText,
  type: isText,
  interval: isText,
  timeout: isText,
  definition: isRecordOf(anything),
}

/** Of a {@link CheckDefinition}. */
export const checkShape: Shape = hasFields(checkFields)

export const catalogCommands: Readonly<Record<CatalogCommand['kind'], CommandKind>> = {
  register: {
    since: 1,
    terse: terseRegister,
    about: ({ nodeName, service, checks }: RegisterCommand) => ({
      node: nodeName,
      service: service?.id,
      serviceName: service?.name,
      checks: checks.length === 0 ? undefined : checks.map(({ checkId }) => checkId),
    }),
    shape: hasFieldsBut(registerDefaults, {
      nodeName: isText,
      node: isOptional(hasFieldsBut(nodeDefaults, nodeFields)),
      isNodeKept: isOptional(isFlag),
      service: isOptional(hasFieldsBut(serviceDefaults, serviceFields)),
      checks: isListOf(hasFieldsBut(checkDefaults, checkFields)),
      replaceChecks: isFlag,
    }),
  },
  deregister: {
    since: 1,
    needs: 'none',
    about: ({ nodeName, serviceId, checkId }: DeregisterCommand) => ({
      node: nodeName,
      service: serviceId,
      check: checkId,
    }),
    shape: hasFields({
      nodeName: isText,
      serviceId: isOptional(isText),
      checkId: isOptional(isText),
    }),
  },
  'update-check': {
    since: 1,
    // Without it DNS would name what is dead.
    needs: 'little',
    about: ({ nodeName, checkId, status: now }: UpdateCheckCommand) => ({
      node: nodeName,
      check: checkId,
      status: now,
    }),
    shape: hasFields({ nodeName: isText, checkId: isText, status, evidence, output: isText }),
  },
}
