import type { Mutant } from '../node.ts'
import type { StoreDefect } from './machine.ts'

/** A defect of the store, or of what stands around it, on every server of a run. */
export interface StoreMutant extends Mutant {
  readonly defect?: StoreDefect
}

export const storeMutants: readonly StoreMutant[] = []
