import { keyMutants } from './mutants/keys.ts'
import { sessionMutants } from './mutants/sessions.ts'
import type { StoreMutant } from './mutants/kinds.ts'

export type { StoreMutant } from './mutants/kinds.ts'

/** A table a room, as those of the core in ../mutants.ts. */
export const storeMutants: readonly StoreMutant[] = [...keyMutants, ...sessionMutants]
