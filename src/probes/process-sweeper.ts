import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** The variable by which a process and all that it starts are known, whatever session they go to. */
export const markVariable = 'SVCD_CHECK_RUN'

interface Target {
  readonly pid: number
  readonly done: () => void
  rounds: number
}

const roundsMax = 40
const pauseMs = 5

/**
 * Kills a process with all that it started: first its group, and then the processes that left that
 * group, by session or by the mark in its environment, until none is found. One walk over /proc
 * serves all that are to be killed. Without /proc it is the group alone.
 */
export class ProcessSweeper {
  readonly #targets = new Map<string, Target>()
  #isSweeping = false

  /** `pid` leads a session of its own and runs with `mark` in {@link markVariable}. */
  kill(pid: number, mark: string): Promise<void> {
    killGroup(pid)
    return new Promise((resolve) => {
      this.#targets.set(mark, { pid, done: resolve, rounds: 0 })
      if (!this.#isSweeping) void this.#sweepAll()
    })
  }

  async #sweepAll(): Promise<void> {
    this.#isSweeping = true
    while (this.#targets.size > 0) {
      const targets = new Map(this.#targets)
      const found = await sweep(targets)
      for (const [mark, target] of targets) {
        target.rounds++
        // One in the depths of a hung disk cannot be killed; the kernel keeps the signal for it.
        if (found.has(mark) && target.rounds < roundsMax) continue
        this.#targets.delete(mark)
        target.done()
      }
      if (this.#targets.size > 0) await sleep(pauseMs)
    }
    this.#isSweeping = false
  }
}

/** Kills all of a group that is left; false when there is none. */
export function killGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 'SIGKILL')
  } catch {
    return false
  }
}

/** Sends SIGKILL to every process of the targets that lives; the marks of which one was found. */
async function sweep(targets: ReadonlyMap<string, Target>): Promise<ReadonlySet<string>> {
  const bySession = new Map([...targets].map(([mark, { pid }]) => [pid, mark]))
  const found = new Set<string>()
  const names = await readdir('/proc').catch(() => [])
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue
    const mark = await markOf(name, bySession)
    if (mark === undefined || !targets.has(mark)) continue
    found.add(mark)
    try {
      process.kill(Number(name), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  return found
}

/** The run that a process belongs to; undefined for others, and for those that are dead already. */
async function markOf(
  pid: string,
  bySession: ReadonlyMap<number, string>,
): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // proc(5): the command in parentheses may hold anything, so the fields are counted behind it.
    const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return undefined
    const mark = bySession.get(Number(session)) ?? bySession.get(Number(group))
    if (mark !== undefined) return mark
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1')
    const from = `\0${environment}`.indexOf(`\0${markVariable}=`)
    if (from === -1) return undefined
    const value = environment.slice(from + markVariable.length + 1)
    return value.slice(0, value.indexOf('\0') === -1 ? undefined : value.indexOf('\0'))
  } catch {
    // It has ended, or it is somebody else's.
    return undefined
  }
}
