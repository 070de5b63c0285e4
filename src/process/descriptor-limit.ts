import { closeSync, openSync, readFileSync } from 'node:fs'
import { devNull } from 'node:os'

/** How many files this process may have open; Infinity where there is no such limit. */
export function openFilesMax(): number {
  return openFilesIn(limitsText()) ?? reportedMax()
}

/** The soft limit in a text of /proc/PID/limits; undefined when it is not in it. */
export function openFilesIn(limits: string): number | undefined {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? []
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Infinity : Number(soft)
}

function limitsText(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    // Not Linux.
    return ''
  }
}

/** Systems without /proc; Windows has no such limit. */
function reportedMax(): number {
  const report = process.report?.getReport() as
    { readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } } } | undefined
  const soft = Number(report?.userLimits?.open_files?.soft)
  return Number.isFinite(soft) ? soft : Infinity
}

/** Whether no file can be opened just now: what fails then may fail for that alone. */
export function isOutOfDescriptors(): boolean {
  try {
    closeSync(openSync(devNull, 'r'))
    return false
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EMFILE' || code === 'ENFILE'
  }
}
