import type { Database } from 'better-sqlite3'
import type { AppliedFamily, CommittedCommand } from '../../../../src/state/machine/apply.ts'
import type { Change } from '../../../../src/state/machine/change.ts'
import type { AnyBody, Outcome } from '../../../../src/state/machine/command.ts'
import type { Applier } from '../../../../src/state/machine/family.ts'
import type { Mutant } from '../../node.ts'
import type { StoreDefect } from '../machine.ts'

/** A defect of the store, or of what stands around it, on every server of a run. */
export interface StoreMutant extends Mutant {
  readonly defect?: StoreDefect
}

type Opened = Applier<AnyBody>

/** A rule of one family is replaced, from outside: the product has no switch for it. */
export function family(
  name: string,
  about: string,
  of: { readonly family: string; readonly open: OpenAnother },
): StoreMutant {
  const change = (one: AppliedFamily): AppliedFamily => {
    if (one.name !== of.family) return one
    const open = one.open as unknown as (db: Database, gate: Change) => Opened
    const changed = (db: Database, gate: Change): Opened => of.open(db, gate, () => open(db, gate))
    return { ...one, open: changed }
  }
  return { name, about, defect: { family: change } }
}

/** `open` opens the family as it is. */
export type OpenAnother = (db: Database, gate: Change, open: () => Opened) => Opened

/** The commands of a family mean something else. */
export function command(
  name: string,
  about: string,
  of: {
    readonly family: string
    readonly change: (body: AnyBody, db: Database, gate: Change) => AnyBody | Outcome
  },
): StoreMutant {
  return family(name, about, {
    family: of.family,
    open: (db, gate, open) => {
      const applier = open()
      const apply = (body: AnyBody): Outcome => {
        const changed = of.change(body, db, gate)
        return 'kind' in changed ? applier.apply(changed) : changed
      }
      return { ...applier, apply }
    },
  })
}

/** The machine around the families does something else with an entry or with what it came to. */
export function entries(
  name: string,
  about: string,
  make: () => {
    readonly before?: (entry: CommittedCommand) => CommittedCommand
    readonly after?: (entry: CommittedCommand, outcome: Outcome) => Outcome
  },
): StoreMutant {
  return {
    name,
    about,
    defect: {
      batch: () => {
        const { before = (entry) => entry, after = (_, outcome) => outcome } = make()
        return (batch, apply) => {
          const result = apply(batch.map(before))
          const outcomes = batch.map((entry, at) => {
            const outcome = result.outcomes[at]
            return outcome === undefined ? undefined : after(entry, outcome)
          })
          return { ...result, outcomes }
        }
      },
    },
  }
}
