import type { ServiceDefinition } from '../state/catalog/model.ts'

/** The name of the service that a proxy of a mesh stands for, as its registration spells it; undefined: it is none. */
export function destinationOf({ extra }: Pick<ServiceDefinition, 'extra'>): string | undefined {
  const proxy = extra['Proxy'] as { DestinationServiceName?: unknown } | undefined
  const destination = proxy?.DestinationServiceName
  return typeof destination === 'string' && destination !== '' ? destination : undefined
}
