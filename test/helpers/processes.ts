import { readdirSync, readFileSync } from 'node:fs'

/** Processes that live and have `word` among their arguments. */
export function living(word: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const isDead = /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
      return !isDead && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(word)
    } catch {
      return false
    }
  })
}
