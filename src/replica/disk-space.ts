import { statfs } from 'node:fs/promises'
import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { commandKind } from '../state/families.ts'
import type { Proposal } from '../state/machine/command.ts'

/** `low`: below the reserve; `lowest`: below a quarter of it. */
export type DiskLevel = 'enough' | 'low' | 'lowest'

export interface DiskFigures {
  readonly freeBytes: number
  readonly reserveBytes: number
  readonly level: DiskLevel
}

const mib = 1024 * 1024
const reserveBytesMax = 256 * mib
/** Space has to be this much above a limit before it counts as back: no flapping. */
const backFactor = 1.1
const lookMs = 1000

/**
 * The free space that is reserved unless an option says otherwise: 256 MiB, or 5 % of a smaller
 * disk.
 */
export function defaultReserveBytes(diskBytes: number): number {
  return Math.min(reserveBytesMax, Math.floor(diskBytes / 20))
}

/** How the space left compares with the reserve, after the level that was before. */
export function nextLevel(
  { freeBytes, reserveBytes }: Omit<DiskFigures, 'level'>,
  before: DiskLevel,
): DiskLevel {
  const isBelow = (limit: number, wasBelow: boolean): boolean =>
    freeBytes < (wasBelow ? limit * backFactor : limit)
  if (isBelow(reserveBytes / 4, before === 'lowest')) return 'lowest'
  return isBelow(reserveBytes, before !== 'enough') ? 'low' : 'enough'
}

/**
 * Whether a command is taken at a level. A deregistration always is: it is what makes room. A change
 * of health is, down to a quarter of the reserve: without it DNS would name what is dead.
 */
export function isTaken(kind: string, level: DiskLevel): boolean {
  const needs = commandKind(kind)?.needs ?? 'space'
  if (level === 'enough' || needs === 'none') return true
  return level === 'low' && needs === 'little'
}

export interface DiskSpaceParts {
  readonly directory: string
  readonly node: string
  /** Undefined: the default; 0: nothing is refused. */
  readonly reserveBytes: number | undefined
  readonly logger: Logger
  /** Called when space is short, before that is judged: gives back what can be given back. */
  readonly onLow: () => void
}

/**
 * Reserves space for snapshots and the log while the disks of servers fill, which happens on all of
 * them together. Below the reserve, a leader takes no registrations. It continues automatically
 * when there is space again. Checked beside the write path, once a second.
 */
export class DiskSpace {
  readonly #parts: DiskSpaceParts
  #figures: DiskFigures | undefined
  #isLooking = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: DiskSpaceParts) {
    this.#parts = parts
  }

  /** Undefined before the first look. */
  get figures(): DiskFigures | undefined {
    return this.#figures
  }

  async start(): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => void this.look(), lookMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Why a proposal is not taken now (`disk-low`); undefined when it is. Cheap while there is space. */
  refusal(read: () => Proposal): SvcdError | undefined {
    const figures = this.#figures
    if (figures === undefined || figures.level === 'enough') return undefined
    const { kind } = read().body
    if (isTaken(kind, figures.level)) return undefined
    return svcdError('disk-low', {
      node: this.#parts.node,
      free: Math.floor(figures.freeBytes / mib),
      reserve: Math.ceil(figures.reserveBytes / mib),
    })
  }

  /** A disk that hangs keeps one look waiting, never two. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      let found = await this.#measure()
      if (found.level !== 'enough') {
        this.#parts.onLow()
        found = await this.#measure()
      }
      this.#note(found)
    } catch (error) {
      this.#parts.logger.debug({ err: error }, 'cannot determine the free disk space')
    } finally {
      this.#isLooking = false
    }
  }

  async #measure(): Promise<DiskFigures> {
    const { bavail, blocks, bsize } = await statfs(this.#parts.directory)
    const freeBytes = bavail * bsize
    const { reserveBytes = defaultReserveBytes(blocks * bsize) } = this.#parts
    const level = nextLevel({ freeBytes, reserveBytes }, this.#before)
    return { freeBytes, reserveBytes, level }
  }

  get #before(): DiskLevel {
    return this.#figures?.level ?? 'enough'
  }

  #note(found: DiskFigures): void {
    const { logger, directory } = this.#parts
    const { freeBytes, reserveBytes, level } = found
    const before = this.#before
    this.#figures = found
    if (level === before) return
    const fields = { directory, freeBytes, reserveBytes }
    if (level === 'enough') logger.info(fields, 'the disk has space again: accepting all writes')
    else if (level === 'low') logger.warn(fields, 'the disk is nearly full: refusing registrations')
    else logger.error(fields, 'the disk is nearly full: accepting only deregistrations')
  }
}

/** The space of the disk of the data directory. */
export function diskSpaceOf(
  {
    dataDirectory,
    settings,
    logger,
    guard,
  }: {
    readonly dataDirectory: string
    readonly settings: { readonly name: string; readonly diskReserveBytes?: number | undefined }
    readonly logger: Logger
    readonly guard: (work: () => void) => void
  },
  onLow: () => void,
): DiskSpace {
  return new DiskSpace({
    directory: dataDirectory,
    node: settings.name,
    reserveBytes: settings.diskReserveBytes,
    logger,
    onLow: () => guard(onLow),
  })
}
