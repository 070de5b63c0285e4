import { closeSync, openSync } from 'node:fs'

/**
 * The terminal that a program was started from. When it is closed, the system sends SIGHUP. A user sends
 * SIGHUP to reload files, and then the terminal still exists.
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
 * Ends this process as a hang-up does. At its usual exit Node restores the terminal settings, and aborts
 * (signal 6) if the terminal no longer exists.
 */
export function endByHangUp(): void {
  process.removeAllListeners('SIGHUP')
  process.kill(process.pid, 'SIGHUP')
}
