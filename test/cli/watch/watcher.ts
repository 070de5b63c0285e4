import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { run } from '../../../src/cli/run.ts'
import { TestApi } from '../../api/support.ts'
import { until } from '../../helpers/until.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A command that runs until it is stopped. */
export interface Watcher {
  readonly ended: Promise<Ran>
  readonly printed: { out: string; err: string }
  readonly holds: (what: 'out' | 'err', text: string) => Promise<boolean>
  readonly stop: (signal?: 'SIGINT' | 'SIGTERM') => void
}

export interface Place {
  readonly api: TestApi
  readonly directory: string
  readonly start: (...words: readonly string[]) => Watcher
  readonly svcd: (...words: readonly string[]) => Promise<Ran>
  /** What a command has written to a file of the directory; '' for nothing. */
  readonly written: (name: string) => string
  readonly holds: (name: string, text: string) => Promise<boolean>
  /** Makes an empty file in the directory, for a command that waits for it. */
  readonly touch: (name: string) => void
}

/** An agent's API on a socket, and commands in this process that ask it. */
export async function startPlace(t: Test): Promise<Place> {
  const directory = t.testdir()
  const api = new TestApi(t)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const env = { PATH: process.env['PATH'], SVCD_HTTP_ADDR: address, DIR: directory }
  const start = (...words: readonly string[]): Watcher => {
    const printed = { out: '', err: '' }
    let stop: Watcher['stop'] = () => {}
    const ended = run(words, {
      out: (text) => void (printed.out += text),
      err: (text) => void (printed.err += text),
      env,
      readText: async () => '',
      onInterrupt: (given) => (stop = given),
    }).then((code) => ({ code, ...printed }))
    const holds = (what: 'out' | 'err', text: string): Promise<boolean> =>
      until(`${what}: ${text}`, 10_000, () => printed[what].includes(text), 5)
    t.teardown(() => stop('SIGTERM'))
    return { ended, printed, holds, stop: (signal) => stop(signal) }
  }
  const written = (name: string): string => {
    const path = join(directory, name)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
  return {
    api,
    directory,
    start,
    svcd: (...words) => start(...words).ended,
    written,
    holds: (name, text) => until(`${name}: ${text}`, 10_000, () => written(name).includes(text), 5),
    touch: (name) => writeFileSync(join(directory, name), ''),
  }
}

/** Without the times at the start of the lines. */
export function untimed(out: string): string {
  return out.replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '')
}
