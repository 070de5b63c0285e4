const definitionKeys = ['service', 'services', 'check', 'checks'] as const

/**
 * The key of a configuration file under which definitions stand, not options; Consul takes it in any
 * case. Undefined for all other keys.
 */
export function definitionKeyOf(key: string): (typeof definitionKeys)[number] | undefined {
  return definitionKeys.find((known) => known === key.toLowerCase())
}
