import { hasFields, isListOf, isOptional, isText } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { eventFormat } from './schema.ts'

/** So many events are kept, as in Consul. An older one is forgotten. */
export const eventsMax = 256
// With them, all events together take at most about 2 MB. Consul takes 512 bytes, all in all.
export const payloadBytesMax = 4096
export const nameBytesMax = 256
export const filterBytesMax = 512

/** Adds an event. One whose ID is there already changes nothing. */
export interface EventFireCommand {
  readonly kind: 'event-fire'
  /** A UUID. */
  readonly id: string
  readonly name: string
  /** In base64. */
  readonly payload: string
  readonly nodeFilter: string
  readonly serviceFilter: string
  readonly tagFilter: string
  /** The names of the nodes that the filters chose; left out: it is for all nodes. */
  readonly nodes?: readonly string[] | undefined
  /**
   * Of an event that comes back from an archive. It changes nothing unless it is later than all that
   * there are: it was known here before, and may have been seen.
   */
  readonly ltime?: number | undefined
}

export type EventCommand = EventFireCommand

const isUuid: Shape = (value) =>
  typeof value === 'string' && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)
const isPayload: Shape = (value) =>
  typeof value === 'string' && Buffer.byteLength(value, 'base64') <= payloadBytesMax
const isTextOf =
  (bytesMax: number): Shape =>
  (value) =>
    typeof value === 'string' && Buffer.byteLength(value) <= bytesMax
const isName: Shape = (value) => value !== '' && isTextOf(nameBytesMax)(value)
const isFilter = isTextOf(filterBytesMax)
const isTime: Shape = (value) => Number.isSafeInteger(value) && Number(value) > 0

export const eventCommands: Readonly<Record<EventCommand['kind'], CommandKind>> = {
  'event-fire': {
    since: eventFormat,
    about: ({ id, name }: EventFireCommand) => ({ event: id, name }),
    shape: hasFields({
      id: isUuid,
      name: isName,
      payload: isPayload,
      nodeFilter: isFilter,
      serviceFilter: isFilter,
      tagFilter: isFilter,
      nodes: isOptional(isListOf(isText)),
      ltime: isOptional(isTime),
    }),
  },
}
