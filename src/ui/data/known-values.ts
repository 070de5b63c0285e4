import { signal } from '@preact/signals'
import type { KnownValues } from '../core/complete.ts'

/** What the search box can complete: the page with the list says it. */
export const knownValues = signal<KnownValues>({ service: [], tag: [] })
