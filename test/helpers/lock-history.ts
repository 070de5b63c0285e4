import type { ThreeServers } from './cluster-process.ts'
import { pause } from './until.ts'

interface Moment {
  readonly atMs: number
  readonly text: string
}

/** What happened to a lock, so that a long wait for it can be explained. Times are those of performance.now(). */
export class LockHistory {
  readonly #moments: Moment[] = []

  note(text: string): void {
    this.#moments.push({ atMs: performance.now(), text })
  }

  /** What was noted from `fromMs` to `toMs`, a line each, with the seconds since `fromMs`. */
  lines(fromMs: number, toMs: number): readonly string[] {
    return this.#moments
      .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
      .map(({ atMs, text }) => `${((atMs - fromMs) / 1000).toFixed(2)} s: ${text}`)
  }

  /** Notes who holds the key and which sessions there are, whenever any server shows something new. */
  async follow(cluster: ThreeServers, key: string, goesOn: () => boolean): Promise<void> {
    const last = new Map<string, string>()
    while (goesOn()) {
      for (const server of cluster.live) {
        const said = await Promise.all([
          shown(() => server.get<readonly Held[]>(`kv/${key}?stale`, 1000), lockText),
          shown(() => server.get<readonly Alive[]>('session/list?stale', 1000), sessionsText),
        ])
        const text = said.join(', ')
        if (text.includes('no answer') || last.get(server.name) === text) continue
        last.set(server.name, text)
        this.note(`${server.name} shows ${text}`)
      }
      await pause(200)
    }
  }
}

interface Held {
  readonly Session?: string
  readonly LockIndex: number
}

interface Alive {
  readonly ID: string
}

async function shown<T>(ask: () => Promise<T>, print: (answer: T) => string): Promise<string> {
  try {
    return print(await ask())
  } catch {
    return 'no answer'
  }
}

function lockText([entry]: readonly Held[]): string {
  return `lock ${entry?.LockIndex} of ${brief(entry?.Session ?? 'nobody')}`
}

function sessionsText(sessions: readonly Alive[]): string {
  return `sessions ${sessions.map(({ ID }) => brief(ID)).join(' ')}`
}

const brief = (id: string): string => id.slice(0, 8)
