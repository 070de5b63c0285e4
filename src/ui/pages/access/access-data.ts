import { computed, signal } from '@preact/signals'
import type { AclStatus, PolicyEntry, RoleEntry } from '../../../client/acl-rows.ts'
import { globalReadOnly } from '../../core/access.ts'
import type { ApiFault } from '../../data/api.ts'
import { nowMs } from '../../data/clock.ts'
import { useFetched } from '../../data/fetched.ts'
import type { Fetched } from '../../data/fetched.ts'
import { forgetRights } from '../../data/rights.ts'

/** How often lists are read again, for the changes of others. */
const intervalMs = 15_000

const changes = signal(0)
const version = computed(() => `${changes.value} ${Math.floor(nowMs.value / intervalMs)}`)

/** To be called after a change of this tab. */
export function noteChange(): void {
  changes.value++
  forgetRights()
}

/** A read below acl/, again at each change of this tab and at times. */
export function useAcl<State>(path: string | undefined): Fetched<State> {
  return useFetched<State>(path, version.value)
}

/** All policies, also the one that the API leaves out of its list. */
export function usePolicies(isNeeded = true): Fetched<readonly PolicyEntry[]> {
  const { data, fault } = useAcl<readonly PolicyEntry[]>(isNeeded ? 'acl/policies' : undefined)
  return { data: data === undefined ? undefined : withReadOnly(data), fault }
}

function withReadOnly([first, ...rest]: readonly PolicyEntry[]): readonly PolicyEntry[] {
  return first === undefined ? [globalReadOnly] : [first, globalReadOnly, ...rest]
}

export function useRoles(isNeeded = true): Fetched<readonly RoleEntry[]> {
  return useAcl<readonly RoleEntry[]>(isNeeded ? 'acl/roles' : undefined)
}

export function useStatus(): Fetched<AclStatus> {
  return useAcl<AclStatus>('acl/status')
}

/** Whether access control is off, as the fault of any endpoint below acl/. */
export function isOff(fault: ApiFault | undefined): boolean {
  return fault?.status === 401
}
