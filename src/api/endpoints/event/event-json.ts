import type { UserEvent } from '../../../state/event/reader.ts'

/** An event as Consul writes it. */
export function eventJson(event: UserEvent): object {
  const { payload } = event
  return {
    ID: event.id,
    Name: event.name,
    Payload: payload.length === 0 ? null : Buffer.from(payload).toString('base64'),
    NodeFilter: event.nodeFilter,
    ServiceFilter: event.serviceFilter,
    TagFilter: event.tagFilter,
    Version: 1,
    LTime: event.ltime,
  }
}

/**
 * What stands in X-Consul-Index when this event is the last one: the two halves of its ID, XORed. Clients
 * compute it, too. Decimal, up to 2^64-1; it does not grow with time.
 */
export function eventIndex({ id }: Pick<UserEvent, 'id'>): string {
  const hex = id.replaceAll('-', '')
  return (BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`)).toString()
}

/** The index of a list without events: clients take 0 for "no index", and would spin. */
export const emptyIndex = '1'
