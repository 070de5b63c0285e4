import type { Flapping, HealthCounts, HealthSeries } from '../../ports/history.ts'
import { stepsMax } from './hour-ring.ts'

/** Changes that are remembered, of all services together. */
const changesMax = 20_000
/** Numbers that a change takes: service, step, whether it was a turn, and the four counts before. */
const width = 7
/** A service that changed less often does not flap. */
const turnsMin = 3
const flappingMax = 20

interface Known {
  readonly id: number
  counts: HealthCounts
}

interface Change {
  readonly id: number
  readonly step: number
  readonly isTurn: boolean
  readonly before: HealthCounts
}

const none: HealthCounts = { passing: 0, warning: 0, critical: 0, maintenance: 0 }

/**
 * How the health of services changed: the present counts of each service, and the last 20,000 changes in one ring of
 * 560 kB, with the counts before each. The counts of any step of the hour follow from these.
 */
export class HealthChanges {
  readonly #ring = new Int32Array(changesMax * width)
  #written = 0
  readonly #known = new Map<string, Known>()
  #nextId = 1

  /** Records the counts of a service at a step. `isNew`: an unknown service was registered since the last step. */
  see(step: number, key: string, counts: HealthCounts, isNew: boolean): void {
    const known = this.#known.get(key)
    if (known === undefined) {
      const id = this.#nextId++
      this.#known.set(key, { id, counts })
      if (isNew) this.#write(id, step, none, counts)
      return
    }
    if (isSame(known.counts, counts)) return
    this.#write(known.id, step, known.counts, counts)
    known.counts = counts
  }

  /** Forgets services that are gone, with their changes. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key)
  }

  /** All services together, as they are now. */
  total(): HealthCounts {
    const sum = { ...none }
    for (const { counts } of this.#known.values()) {
      sum.passing += counts.passing
      sum.warning += counts.warning
      sum.critical += counts.critical
      sum.maintenance += counts.maintenance
    }
    return sum
  }

  /** The counts of a service at each step of a span. Undefined: it is not known. */
  ofService(key: string, from: number, last: number): HealthSeries | undefined {
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    const changes = [...this.#changes()].filter(({ id }) => id === known.id)
    const steps: HealthCounts[] = []
    for (let step = from; step <= last; step++) {
      const next = changes.find((change) => change.step > step)
      steps.push(next?.before ?? known.counts)
    }
    return {
      passing: steps.map(({ passing }) => passing),
      warning: steps.map(({ warning }) => warning),
      critical: steps.map(({ critical }) => critical),
      maintenance: steps.map(({ maintenance }) => maintenance),
    }
  }

  /** The services whose worst health changed at least three times in the hour before a step. */
  flapping(last: number): readonly Flapping[] {
    const turns = new Map<number, number>()
    for (const { id, step, isTurn } of this.#changes()) {
      if (isTurn && step > last - stepsMax) turns.set(id, (turns.get(id) ?? 0) + 1)
    }
    return [...this.#known]
      .map(([key, { id }]) => ({ key, turns: turns.get(id) ?? 0 }))
      .filter((each) => each.turns >= turnsMin)
      .toSorted((a, b) => b.turns - a.turns || (a.key < b.key ? -1 : 1))
      .slice(0, flappingMax)
  }

  #write(id: number, step: number, before: HealthCounts, after: HealthCounts): void {
    // The first instance of a new service is not a turn.
    const isTurn = before !== none && worstOf(before) !== worstOf(after)
    const { passing, warning, critical, maintenance } = before
    const at = (this.#written++ % changesMax) * width
    this.#ring.set([id, step, Number(isTurn), passing, warning, critical, maintenance], at)
  }

  *#changes(): Generator<Change, void> {
    for (let at = Math.max(0, this.#written - changesMax); at < this.#written; at++) {
      const place = (at % changesMax) * width
      const [id = 0, step = 0, turn = 0, passing = 0, warning = 0, critical = 0, maintenance = 0] =
        this.#ring.subarray(place, place + width)
      yield { id, step, isTurn: turn === 1, before: { passing, warning, critical, maintenance } }
    }
  }
}

function isSame(one: HealthCounts, other: HealthCounts): boolean {
  return (
    one.passing === other.passing &&
    one.warning === other.warning &&
    one.critical === other.critical &&
    one.maintenance === other.maintenance
  )
}

function worstOf({ warning, critical, maintenance }: HealthCounts): number {
  if (critical > 0) return 3
  if (warning > 0) return 2
  return maintenance > 0 ? 1 : 0
}
