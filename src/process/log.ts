import { pino } from 'pino'
import type { LogFollower, NodeLog } from '../ports/log.ts'
import { errorTable } from '../base/errors.ts'
import { visible, visibleJson } from '../base/invisible.ts'
import { logLevels } from '../base/log.ts'
import type { Logger, LogLevel } from '../base/log.ts'
import { RecentLog } from './recent-log.ts'

/**
 * The one door to pino: the log of an agent, with its followers. The first follower is the output
 * of the agent; operators come and go. A line is made once for each form, and only if a follower
 * takes its level, so a log without followers costs nothing extra.
 */
export class AgentLog implements NodeLog {
  readonly logger: Logger
  readonly #pino: pino.Logger
  readonly #followers = new Set<Required<LogFollower>>()
  readonly #recent = new RecentLog()

  constructor(output: LogFollower) {
    // Told before each line, so that nothing has to be parsed (pino's docs/api.md, "metadata").
    const destination = {
      [Symbol.for('pino.metadata')]: true,
      lastLevel: 0,
      write: (line: string): void => this.#deliver(destination.lastLevel, line),
    }
    const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime }
    this.#pino = pino(options, destination)
    this.logger = this.#pino
    const { write } = output
    this.follow({
      ...output,
      write: (line) => {
        this.#recent.add(line)
        write(line)
      },
    })
  }

  /** The last lines of the output, oldest first. */
  recent(): readonly string[] {
    return this.#recent.lines()
  }

  /** Every line from now on, of all threads. Returns how to end it. */
  follow({ level, json = false, write }: LogFollower): () => void {
    const follower = { level, json, write }
    this.#followers.add(follower)
    this.#setLevel()
    return () => {
      this.#followers.delete(follower)
      this.#setLevel()
    }
  }

  /** What no follower takes is not even put together. */
  #setLevel(): void {
    const wanted = new Set([...this.#followers].map(({ level }) => level))
    this.#pino.level = logLevels.find((level) => wanted.has(level)) ?? 'error'
  }

  #deliver(level: number, line: string): void {
    let forPeople: string | undefined
    let forPrograms: string | undefined
    for (const follower of this.#followers) {
      if (level < severity(follower.level)) continue
      if (follower.json) follower.write((forPrograms ??= visibleJson(line)))
      else follower.write((forPeople ??= humanLine(line)))
    }
  }
}

function severity(level: LogLevel): number {
  return pino.levels.values[level] ?? 0
}

const levelNames: Readonly<Record<number, string>> = {
  20: '[DEBUG]',
  30: '[INFO] ',
  40: '[WARN] ',
  50: '[ERROR]',
}

/** `2026-01-02T03:04:05.678Z [INFO]  message: key=value key="two words"` */
export function humanLine(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`)
  if (typeof err === 'object' && err !== null) {
    const { code, message, stack } = err as Readonly<Record<string, unknown>>
    shown.push(`error=${plain(message)}`)
    // An error of the table says all that helps; any other is a defect, and its report needs the place.
    if (level === pino.levels.values['error'] && !Object.hasOwn(errorTable, String(code))) {
      shown.push(`stack=${plain(stack)}`)
    }
  }
  const head = `${String(time)} ${levelNames[Number(level)] ?? String(level)} ${visible(String(msg))}`
  return shown.length === 0 ? `${head}\n` : `${head}: ${shown.join(' ')}\n`
}

function plain(value: unknown): string {
  const isWord = typeof value === 'string' && /^[^\s"=]+$/.test(value)
  return visible(isWord ? value : JSON.stringify(value))
}
