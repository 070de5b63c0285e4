import type { Command } from 'commander'
import type { Io } from './io.ts'

/** A command of `svcd`, not loaded yet. */
export interface CommandEntry {
  readonly summary: string
  /** Loads only what this command needs: `svcd services` must not wait for the agent's modules. */
  /** What follows its first argument is a command line of its own: its options are not read here. */
  readonly passesOn?: true
  readonly load: () => Promise<(io: Io) => Command>
}
