import { svcdError } from '../base/errors.ts'
import type { Config } from '../config/options.ts'
import { descriptorsMin } from '../net/connections/descriptor-plan.ts'
import { dnsThreadsDefault } from '../resolver/threads/default-threads.ts'

/**
 * Throws `descriptors-too-few` when an agent cannot work with `limit` open files. To be called before its
 * modules are loaded: Node opens a hundred of them at the same time, and would fail with an error
 * of its own.
 */
export function refuseFewDescriptors({ dns }: Config, limit: number): void {
  const min = descriptorsMin(dns.threads ?? dnsThreadsDefault())
  if (limit < min) throw svcdError('descriptors-too-few', { limit, min })
}
