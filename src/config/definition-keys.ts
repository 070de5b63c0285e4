const definitionKeys = ['service', 'services', 'check', 'checks'] as const

/**
 * The key of a configuration file that contains definitions, not options; ignores case, as Consul does.
 * Undefined for all other keys.
 */
export function definitionKeyOf(key: string): (typeof definitionKeys)[number] | undefined {
  return definitionKeys.find((known) => known === key.toLowerCase())
}
