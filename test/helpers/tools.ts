import { execFileSync } from 'node:child_process'

/** A reason to skip when a program is not on PATH, for tap's `skip` option; false when it is there. */
export function missing(...programs: readonly string[]): string | false {
  for (const program of programs) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    } catch {
      return `needs ${program}, which is not on PATH`
    }
  }
  return false
}

/** A reason to skip when not root. */
export function notRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'needs root'
}
