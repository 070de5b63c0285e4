import type { Command } from 'commander'
import type { Io } from './io.ts'

/** A command of `svcd`, not loaded yet. */
export interface CommandEntry {
  readonly summary: string
  /** Loads only what this command needs: `svcd services` must not wait for the agent's modules. */
  readonly load: () => Promise<(io: Io) => Command>
}
