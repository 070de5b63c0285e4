import { closeSync, openSync } from 'node:fs'

/**
 * The terminal that a program was started from. When it is closed the system sends SIGHUP; a person sends
 * SIGHUP too, to have files read again, and then the terminal is still there.
 */
export class Terminal {
  readonly #hadOne = hasTerminal()

  get isGone(): boolean {
    return this.#hadOne && !hasTerminal()
  }
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

/**
 * Ends this process as a hang-up does. At its usual exit Node sets the terminal back to what it was, and
 * aborts (signal 6) when that is gone.
 */
export function endByHangUp(): void {
  process.removeAllListeners('SIGHUP')
  process.kill(process.pid, 'SIGHUP')
}
