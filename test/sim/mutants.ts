import { formation, duties } from './mutants/formation.ts'
import { forwarding } from './mutants/forwarding.ts'
import { liveness } from './mutants/liveness.ts'
import { membership } from './mutants/membership.ts'
import { reads, defaultReads } from './mutants/reads.ts'
import { replication, state } from './mutants/replication.ts'
import { votes } from './mutants/elections.ts'
import type { Mutant } from './node.ts'

/** A table a room: the core, and what a server puts around it. */
export const mutants: readonly Mutant[] = [
  ...votes,
  ...replication,
  ...reads,
  ...defaultReads,
  ...forwarding,
  ...formation,
  ...duties,
  ...membership,
  ...state,
  ...liveness,
]
