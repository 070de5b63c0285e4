import { computed, signal } from '@preact/signals'
import type { ServiceSummary } from '../../client/rows.ts'
import type { KnownValues } from '../core/complete.ts'

/** The services that the list of the page knows. */
export const knownServices = signal<readonly ServiceSummary[]>([])

/** What the search box can complete. It is worked out when the box asks. */
export const knownValues = computed<KnownValues>(() => {
  const tags = new Set(knownServices.value.flatMap(({ Tags }) => Tags))
  return { service: knownServices.value.map(({ Name }) => Name), tag: [...tags].toSorted() }
})
