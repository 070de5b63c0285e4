import type { Database, Statement } from 'better-sqlite3'
import { hasFields, isWhole } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import { defineTable } from './table.ts'
import type { TableWriter } from './table-writer.ts'

/**
 * Which formats of the state are in use, as the log says: a row for each that was taken into use. A server
 * may have tables of a format long before the others have. What a command means must depend on the log
 * alone, so a meaning that came with a format counts only behind the entry that takes the format into use.
 * A leader writes that entry when every member has the format; an older release does not know the entry,
 * and ends at it.
 */
export const usedFormatsTable = defineTable(
  'used_formats',
  ['format'],
  { format: 'integer' },
  { tellsOfLog: 'the formats that it has taken into use' },
)

/** Every server has `format`: commands mean from here on what they mean in it. */
export interface UseFormatCommand {
  readonly kind: 'use-format'
  readonly format: number
}

/** The first format that has the table, and whose servers know the command. */
export const useFormatSince = 8

/** `known`: the newest format of this release. A command about a newer one must not be applied here. */
export function useFormatShape(known: number): Shape {
  const fields = hasFields({ format: isWhole })
  return (body) => fields(body) && (body as UseFormatCommand).format <= known
}

/** The newest format in use; 0 while no entry says so. */
export class UsedFormat {
  readonly #newest: Statement<[], number>
  readonly #writer: TableWriter
  #format = 0

  constructor(db: Database, writer: TableWriter) {
    this.#newest = db
      .prepare<[], number>('SELECT coalesce(max(format), 0) FROM used_formats')
      .pluck()
    this.#writer = writer
    this.load()
  }

  get format(): number {
    return this.#format
  }

  /** Reads it again: a transaction was rolled back. */
  load(): void {
    this.#format = this.#newest.get() ?? 0
  }

  use({ format }: UseFormatCommand): void {
    if (format <= this.#format) return
    this.#format = format
    this.#writer.put({ format }, undefined)
  }
}
