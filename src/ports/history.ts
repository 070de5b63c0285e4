/** Values of one series, oldest first; null: not known. */
export type Values = readonly (number | null)[]

/** Named series of one length. The last value of each belongs to `endMs`, the others to the steps before. */
export interface Recorded<Series> {
  readonly stepMs: number
  /** The time of day. */
  readonly endMs: number
  readonly series: Series
}

/** What an agent recorded of itself and of the catalog. */
export interface HourSeries {
  /** DNS answers per second, by response code. */
  readonly questions: Readonly<Record<string, Values>>
  /** HTTP requests per second: all of them, and those answered with 4xx and 5xx. */
  readonly requests: Readonly<Record<'all' | 'clientErrors' | 'serverErrors', Values>>
  /** How many entries of the log each server lacks, by its ID. Only a leader knows it. */
  readonly lag: Readonly<Record<string, Values>>
  /** The instances of the catalog, by health. */
  readonly health: HealthSeries
}

export type HealthSeries = Readonly<Record<keyof HealthCounts, Values>>

/** How many instances are in which health. */
export interface HealthCounts {
  readonly passing: number
  readonly warning: number
  readonly critical: number
  readonly maintenance: number
}

/** A service whose health changes often. */
export interface Flapping {
  /** The name in lower case. */
  readonly key: string
  /** How often the health of its worst instance changed. */
  readonly turns: number
}

/** The last hour, as this agent saw it. */
export interface History {
  lastHour(): Recorded<HourSeries>
  /** The instances of a service by health. Undefined: nothing is known of it. `key`: its name in lower case. */
  ofService(key: string): Recorded<HealthSeries> | undefined
  /** The services that changed most often come first. */
  flapping(): readonly Flapping[]
  /** Counts an answer of the HTTP API. */
  countRequest(status: number): void
}
