import type { CheckRow, NodeRow, ServiceRow } from './rows.ts'
import type { StateSums } from '../machine/state-sums.ts'
import { checkValues, nodeValues, serviceValues } from './statements.ts'
import type { ApplyStatements, RowWrites } from './statements.ts'

/**
 * The writes of apply to nodes, services, checks, addresses and requests. Each keeps the sum of its
 * table: the old row is subtracted as it was read, and the new one is added.
 */
export class SummedRows {
  readonly #sql: RowWrites
  readonly #sums: StateSums

  constructor(sql: RowWrites, sums: StateSums) {
    this.#sql = sql
    this.#sums = sums
  }

  putNode(before: NodeRow | undefined, row: NodeRow): void {
    const values = nodeValues(row)
    if (before !== undefined) this.#sums.nodes.subtract(nodeValues(before))
    this.#sql.putNode.run(values)
    this.#sums.nodes.add(values)
  }

  deleteNode(row: NodeRow): void {
    this.#sql.deleteNode.run(row.key)
    this.#sums.nodes.subtract(nodeValues(row))
  }

  putService(before: ServiceRow | undefined, row: ServiceRow): void {
    const values = serviceValues(row)
    if (before !== undefined) this.#sums.services.subtract(serviceValues(before))
    this.#sql.putService.run(values)
    this.#sums.services.add(values)
  }

  deleteService(row: ServiceRow): void {
    this.#sql.deleteService.run(row.node_key, row.id)
    this.#sums.services.subtract(serviceValues(row))
  }

  putCheck(before: CheckRow | undefined, row: CheckRow): void {
    const values = checkValues(row)
    if (before !== undefined) this.#sums.checks.subtract(checkValues(before))
    this.#sql.putCheck.run(values)
    this.#sums.checks.add(values)
  }

  /** `after` differs from `before` in status, output and modify index only. */
  setStatus(before: CheckRow, after: CheckRow): void {
    const { status, output, modify_index: index, node_key: nodeKey, check_id: checkId } = after
    this.#sql.setStatus.run(status, output, index, nodeKey, checkId)
    this.#sums.checks.subtract(checkValues(before))
    this.#sums.checks.add(checkValues(after))
  }

  deleteCheck(row: CheckRow): void {
    this.#sql.deleteCheck.run(row.node_key, row.check_id)
    this.#sums.checks.subtract(checkValues(row))
  }

  putAddress(ip: string, serviceId: string, nodeKey: string): void {
    this.#sql.putAddress.run(ip, serviceId, nodeKey)
    this.#sums.addresses.add([ip, serviceId, nodeKey])
  }

  deleteAddress(ip: string, serviceId: string, nodeKey: string): void {
    const { changes } = this.#sql.deleteAddress.run(ip, serviceId, nodeKey)
    if (changes === 1) this.#sums.addresses.subtract([ip, serviceId, nodeKey])
  }
}

/** Subjects whose rows are remembered. */
const subjectsMax = 1000

/** The requests of a run of entries and the subjects of a batch, with their sums. */
export class SummedLists {
  readonly #sql: ApplyStatements
  readonly #sums: StateSums
  /** Index of those that were touched last: most entries touch the same few. */
  readonly #subjects = new Map<string, number>()

  constructor(sql: ApplyStatements, sums: StateSums) {
    this.#sql = sql
    this.#sums = sums
  }

  /**
   * Notes requests as applied, four values each: index, request id, time, outcome. Returns the indexes
   * of those that were not there before; undefined when that is all of them, as it nearly always is.
   */
  claim(values: readonly (string | number)[]): ReadonlySet<number> | undefined {
    const [first, last] = [values[0], values.at(-4)]
    if (typeof first !== 'number' || typeof last !== 'number') return undefined
    const changes = this.#sql.claimRequests.run(values)
    const claimed =
      changes === values.length / 4
        ? undefined
        : new Set(this.#sql.claimed.all(first, last).map((row) => row.log_index))
    for (let at = 0; at < values.length; at += 4) {
      if (claimed?.has(Number(values[at])) === false) continue
      this.#sums.requests.add(values.slice(at, at + 4))
    }
    return claimed
  }

  /** `before`: the four values that were noted. */
  putOutcome(before: readonly (string | number)[], outcome: string): void {
    this.#sql.putOutcome.run(outcome, Number(before[0]))
    this.#sums.requests.subtract(before)
    this.#sums.requests.add([...before.slice(0, 3), outcome])
  }

  forget(...limits: readonly [number, number, number]): void {
    for (const row of this.#sql.forgetRequests.all(...limits)) this.#sums.requests.subtract(row)
  }

  /** Two values each: the subject, and the last entry that changed it. */
  touch(values: readonly (string | number)[]): void {
    for (let at = 0; at < values.length; at += 2) {
      const row = values.slice(at, at + 2) as [string, number]
      const [name, index] = row
      const known = this.#subjects.get(name)
      const before = known === undefined ? this.#sql.subject.get(name) : ([name, known] as const)
      if (before !== undefined) this.#sums.subjects.subtract(before)
      this.#sums.subjects.add(row)
      this.#subjects.set(name, index)
    }
    this.#sql.touch.run(values)
    if (this.#subjects.size > subjectsMax) this.#subjects.clear()
  }

  putGone(subject: string): void {
    const { changes } = this.#sql.putGone.run(subject)
    if (changes === 1) this.#sums.gone_subjects.add([subject])
  }

  deleteGone(subject: string): void {
    const { changes } = this.#sql.deleteGone.run(subject)
    if (changes === 1) this.#sums.gone_subjects.subtract([subject])
  }

  /** Forgets the subjects that are gone and have not changed after entry `upTo`. */
  forgetGone(upTo: number): void {
    const forgotten = this.#sql.forgetSubjects.all(upTo)
    if (forgotten.length === 0) return
    for (const row of forgotten) {
      this.#sums.subjects.subtract(row)
      this.#subjects.delete(row[0])
    }
    for (const row of this.#sql.forgetGone.all()) this.#sums.gone_subjects.subtract(row)
  }
}
