import { readdirSync, readFileSync } from 'node:fs'
import { loadavg, totalmem, freemem } from 'node:os'
import type { Diagnosis } from '../ports/facts.ts'
import type { Config } from '../config/options.ts'
import { redact, redactText } from '../config/redact.ts'
import type { ClusterStatus } from '../replica/messages.ts'

export interface DiagnosisParts {
  readonly config: Config
  readonly status: ClusterStatus | undefined
  readonly log: readonly string[]
}

/** What helps to find out what is wrong with a running agent, without its secrets. */
export function diagnosis({ config, status, log }: DiagnosisParts): Diagnosis {
  return {
    config: redact(config),
    raft: status ?? null,
    log: log.map(redactText),
    resources: {
      uptimeSeconds: process.uptime(),
      memory: process.memoryUsage(),
      usage: process.resourceUsage(),
      eventLoop: performance.eventLoopUtilization(),
      active: counted(process.getActiveResourcesInfo()),
      threads: threads(),
      host: { load: loadavg(), memoryBytes: totalmem(), freeBytes: freemem() },
    },
  }
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** Name, state and CPU ticks of each thread, where the system tells (Linux). */
function threads(): readonly object[] {
  try {
    return readdirSync('/proc/self/task').map((id) => {
      // `id (name) state …`, the name being whatever the thread calls itself (proc(5)).
      const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1')
      const end = stat.lastIndexOf(')')
      const fields = stat.slice(end + 2).split(' ')
      const name = stat.slice(stat.indexOf('(') + 1, end)
      return {
        id: Number(id),
        name,
        state: fields[0],
        userTicks: fields[11],
        systemTicks: fields[12],
      }
    })
  } catch {
    return []
  }
}
