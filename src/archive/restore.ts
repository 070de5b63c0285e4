import { SvcdError, reasonOf, svcdError } from '../base/errors.ts'
import type { Restored } from '../ports/snapshots.ts'
import type { Origin } from '../ports/writes.ts'
import { commandKind, families } from '../state/families.ts'
import type { CommandBody, FamilyBody } from '../state/families.ts'
import type { Outcome } from '../state/machine/command.ts'
import type { Family, RestoreContext } from '../state/machine/family.ts'
import type { StateReader } from '../storage/state.ts'

/** Of one batch. Large ones share a sync; but while one is applied, nothing else is. */
const batchBytesMax = 256 * 1024
const batchMax = 512
/** Rows that are compared in one turn of the event loop. */
const planMax = 64
const busyWaitMs = 100

export interface RestoreParts extends RestoreContext {
  readonly archived: Pick<StateReader, 'of'>
  readonly present: Pick<StateReader, 'of' | 'read'>
  readonly propose: (body: CommandBody, origin: Origin) => Promise<Outcome>
}

/**
 * Makes the state of the cluster what an archive says, by commands in the log. Commands that
 * belong together are applied at one moment. Rejects with `restore-unfinished` when some of them were applied.
 */
export async function restoreState(parts: RestoreParts, origin: Origin): Promise<Restored> {
  const done = { written: 0, removed: 0 }
  try {
    for (const family of families as readonly AnyFamily[]) {
      await restoreFamily(family, parts, origin, done)
    }
    return done
  } catch (error) {
    const count = done.written + done.removed
    // Nothing is done yet: the cause alone is what matters.
    if (count === 0 || !(error instanceof SvcdError)) throw error
    const reason = reasonOf(error).replace(/\.$/, '')
    throw svcdError('restore-unfinished', { done: count, reason }, error)
  }
}

type AnyFamily = Family<FamilyBody, unknown>

/**
 * To be called when the families below are restored: their commands may change rows of this one, for example
 * end a session.
 */
async function restoreFamily(
  family: AnyFamily,
  parts: RestoreParts,
  origin: Origin,
  done: { written: number; removed: number },
): Promise<void> {
  const plan = new Plan(family, parts)
  let next = await plan.next()
  while (next.length > 0) {
    const bodies = next
    // One after the other, because a later batch may need an earlier one; the plan goes ahead.
    const proposed = propose({ kind: 'batch', bodies }, parts, origin)
    next = await settled(plan.next(), proposed)
    for (const { kind } of bodies) {
      if (commandKind(kind)?.needs === 'none') done.removed++
      else done.written++
    }
  }
}

/** The result of one, when both have ended: neither may be left alone with its error. */
async function settled<T>(one: Promise<T>, other: Promise<void>): Promise<T> {
  const [result] = await Promise.allSettled([one, other])
  await other
  if (result.status === 'rejected') throw result.reason
  return result.value
}

async function propose(body: CommandBody, parts: RestoreParts, origin: Origin): Promise<void> {
  for (;;) {
    try {
      const outcome = await parts.propose(body, origin)
      if (outcome.ok) return
      // Only a server that left in the time between can be missing: every other node comes with
      // its command.
      throw svcdError('operation-refused', { reason: `${outcome.error} ${outcome.subject}` })
    } catch (error) {
      if (!(error instanceof SvcdError) || error.code !== 'busy') throw error
      await new Promise((resolve) => {
        setTimeout(resolve, busyWaitMs)
      })
    }
  }
}

interface Taken {
  readonly bodies: readonly FamilyBody[]
  readonly isDone: boolean
  /** Of the bodies, in bytes. */
  readonly size: number
}

/** The commands that restore a family in batches, planned a few at a time against the state as it is then. */
class Plan {
  readonly #steps: Generator<readonly FamilyBody[] | undefined>
  readonly #present: RestoreParts['present']

  constructor(family: AnyFamily, { archived, present, memberIds }: RestoreParts) {
    this.#present = present
    this.#steps = family.restore(archived.of(family), present.of(family), { memberIds })
  }

  /** Empty at the end. */
  async next(): Promise<readonly FamilyBody[]> {
    const batch: FamilyBody[] = []
    let bytes = 0
    while (batch.length < batchMax && bytes < batchBytesMax) {
      const { bodies, isDone, size } = this.#take(batchBytesMax - bytes)
      bytes += size
      batch.push(...bodies)
      if (isDone) return batch
      // Requests and checks continue during this.
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    return batch
  }

  /** Ends with the step that reaches `bytesMax`: with one as large as steps are, a batch is still no larger than a command may be. */
  #take(bytesMax: number): Taken {
    return this.#present.read(() => {
      const bodies: FamilyBody[] = []
      let size = 0
      for (let count = 0; count < planMax && size < bytesMax; count++) {
        const step = this.#steps.next()
        if (step.done === true) return { bodies, isDone: true, size }
        for (const body of step.value ?? []) {
          bodies.push(body)
          size += Buffer.byteLength(JSON.stringify(body))
        }
      }
      return { bodies, isDone: false, size }
    })
  }
}
