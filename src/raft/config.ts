import { must } from '../base/assert.ts'
import type { Entry, Index, NodeId } from './entry.ts'

/**
 * The members of a cluster (§6). A quorum is a majority of `voters` and, while `votersOutgoing` is
 * not empty (joint consensus), a majority of those as well. Lists are sorted and hold no id twice.
 */
export interface Config {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  /** Receive the log, neither vote nor count (thesis §4.2.1). */
  readonly learners: readonly NodeId[]
  readonly addresses: Readonly<Record<NodeId, string>>
  /** Index of the configuration that this one replaced; 0 for the first. */
  readonly prevConfIndex: Index
}

export const emptyConfig: Config = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  addresses: {},
  prevConfIndex: 0,
}

export function isVoter(config: Config, id: NodeId): boolean {
  return config.voters.includes(id) || config.votersOutgoing.includes(id)
}

/** It receives the log, whether it votes or not. */
export function isMember(config: Config, id: NodeId): boolean {
  return isVoter(config, id) || config.learners.includes(id)
}

/** Everyone who receives the log, in sorted order, so that runs of the same input are the same. */
export function members(config: Config): NodeId[] {
  return [...new Set([...config.voters, ...config.votersOutgoing, ...config.learners])].toSorted()
}

/** The data of a `config` entry: JSON in UTF-8, keys in a fixed order. */
export function encodeConfig(config: Config): Uint8Array {
  const { voters, votersOutgoing, learners, addresses, prevConfIndex } = config
  return new TextEncoder().encode(
    JSON.stringify({ voters, votersOutgoing, learners, addresses, prevConfIndex }),
  )
}

/** Returns undefined when `data` is not a configuration. */
export function decodeConfig(data: Uint8Array): Config | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data))
    if (!isConfig(value)) return undefined
    const { voters, votersOutgoing, learners, addresses, prevConfIndex } = value
    return { voters, votersOutgoing, learners, addresses, prevConfIndex }
  } catch {
    return undefined
  }
}

export function isConfig(value: unknown): value is Config {
  if (typeof value !== 'object' || value === null) return false
  const { voters, votersOutgoing, learners, addresses, prevConfIndex } = value as Partial<Config>
  if (!areIds(voters) || !areIds(votersOutgoing) || !areIds(learners)) return false
  return typeof addresses === 'object' && addresses !== null && typeof prevConfIndex === 'number'
}

function areIds(value: unknown): value is NodeId[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string')
}

/** A configuration and the index of the entry that brought it; index 0 before the first. */
export interface PlacedConfig {
  readonly index: Index
  readonly config: Config
}

/**
 * Every configuration that the log may still fall back to. A server uses the latest one in its log,
 * committed or not (§6), and returns to the one before when that entry is truncated.
 */
export class ConfigHistory {
  #placed: PlacedConfig[]

  constructor(first: PlacedConfig) {
    this.#placed = [first]
  }

  get latest(): PlacedConfig {
    return must(this.#placed.at(-1), 'a configuration history is never empty')
  }

  /** The oldest one that is known: before it nothing can be asked. */
  get first(): PlacedConfig {
    return must(this.#placed[0], 'a configuration history is never empty')
  }

  /** The configuration in force at `index`. */
  at(index: Index): PlacedConfig {
    return must(
      this.#placed.findLast((placed) => placed.index <= index),
      `the configuration at ${index} is known`,
    )
  }

  /** The configuration at `index` and all later ones, oldest first. */
  since(index: Index): readonly PlacedConfig[] {
    return this.#placed.slice(this.#placed.indexOf(this.at(index)))
  }

  append(entry: Entry): void {
    const config = must(decodeConfig(entry.data), `entry ${entry.index} holds a configuration`)
    this.place(entry.index, config)
  }

  place(index: Index, config: Config): void {
    this.#placed.push({ index, config })
  }

  truncateFrom(index: Index): void {
    this.#placed = this.#placed.filter((placed) => placed.index < index)
  }

  /** Forgets what was replaced at or before `index`. */
  compactTo(index: Index): void {
    // After a restart the oldest one known is the newest snapshot's, which may lie behind `index`.
    const first = this.#placed.findLastIndex((placed) => placed.index <= index)
    if (first > 0) this.#placed = this.#placed.slice(first)
  }

  reset(first: PlacedConfig): void {
    this.#placed = [first]
  }
}
