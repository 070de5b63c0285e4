import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, openSync, closeSync, readdirSync } from 'node:fs'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../src/base/assert.ts'
import { missing } from './tools.ts'
import { until } from './until.ts'

// Members of a Patroni cluster, each with its PostgreSQL, in processes that a test kills and starts again.

const nobody = 65_534
/** PostgreSQL does not run as root. */
const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
const postgresDirectory = '/usr/lib/postgresql'
const password = 'for tests only'

/** Patroni's dynamic configuration, all in seconds. */
export interface PatroniTimes {
  readonly ttl: number
  readonly loop_wait: number
  readonly retry_timeout: number
}

export interface PatroniMemberParts {
  readonly name: string
  /** Belongs to this member alone. */
  readonly directory: string
  /** An address of the loopback, by which answers tell the members apart. */
  readonly address: string
  readonly postgresPort: number
  readonly restPort: number
  /** Where the other members ask for the state of this one, if not at `address`. */
  readonly restSeenAt?: string
  /** Where its Patroni finds the HTTP API of svcd: host:port. */
  readonly registry: string
  readonly times: PatroniTimes
}

export interface PatroniState {
  readonly state: string
  readonly role: string
  readonly timeline: number
}

/** A reason to skip a test, or false. */
export function patroniMissing(): string | false {
  if (!existsSync(postgresDirectory)) return 'needs PostgreSQL from Debian, which is not installed'
  // Patroni has other stores too: its package is content without this one.
  if (!existsSync('/usr/lib/python3/dist-packages/consul'))
    return 'needs python3-consul from Debian'
  return missing('patroni', 'patronictl', 'psql')
}

/** Where the programs of the newest PostgreSQL are. */
function postgresBin(): string {
  const versions = readdirSync(postgresDirectory).toSorted((a, b) => Number(a) - Number(b))
  return join(postgresDirectory, must(versions.at(-1)), 'bin')
}

/** Makes a directory that only the user of PostgreSQL can read. */
export function privateDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (user.uid !== undefined) chownSync(path, user.uid, user.gid)
  return path
}

export class PatroniMember {
  readonly parts: PatroniMemberParts
  readonly name: string
  readonly address: string
  #child: ChildProcess | undefined

  constructor(parts: PatroniMemberParts) {
    this.parts = parts
    this.name = parts.name
    this.address = parts.address
  }

  get configFile(): string {
    return join(this.parts.directory, 'patroni.json')
  }

  get log(): string {
    return readFileSync(join(this.parts.directory, 'log'), 'utf8')
  }

  start(): void {
    const { directory } = this.parts
    privateDirectory(directory)
    writeFileSync(this.configFile, JSON.stringify(this.#config()), { mode: 0o644 })
    const log = openSync(join(directory, 'log'), 'a')
    this.#child = spawn('patroni', [this.configFile], {
      ...user,
      env: environment(directory),
      cwd: directory,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
  }

  /** kill -9 of Patroni and of PostgreSQL; resolves when both are gone. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    const postmaster = this.#postmaster()
    const pids = postmaster === undefined ? [] : [postmaster, ...childrenOf(postmaster)]
    for (const pid of [child?.pid, ...pids]) if (pid !== undefined) killNow(pid)
    await until(`${this.name} is gone`, 10_000, () => {
      const hasEnded = child === undefined || child.exitCode !== null || child.signalCode !== null
      return hasEnded && !pids.some((pid) => isAlive(pid))
    })
  }

  /** What its Patroni says of it. */
  async state(): Promise<PatroniState> {
    const answer = await this.#rest('patroni')
    return (await answer.json()) as PatroniState
  }

  /** PostgreSQL takes writes, and Patroni holds the leader key. */
  async isPrimary(): Promise<boolean> {
    return (await this.#rest('primary')).status === 200
  }

  async isReplica(): Promise<boolean> {
    return (await this.#rest('replica')).status === 200
  }

  /** Changes the dynamic configuration of the cluster. */
  async configure(config: object): Promise<void> {
    const body = JSON.stringify(config)
    const answer = await this.#rest('config', { method: 'PATCH', body })
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  }

  /** One statement; rejects with what psql says. */
  sql(text: string): Promise<string> {
    return run('psql', [...this.#psqlArgs(), '-c', text], environment(this.parts.directory))
  }

  /** `patronictl`, with the configuration of this member. */
  control(...words: readonly string[]): Promise<string> {
    return run('patronictl', ['-c', this.configFile, ...words], environment(this.parts.directory))
  }

  /** Repeats a statement every 0.2 s until it fails; prints what it returns. */
  repeat(statement: string): ChildProcess {
    const child = spawn('psql', this.#psqlArgs(), { env: environment(this.parts.directory) })
    child.stdin.end(`${statement} \\watch 0.2\n`)
    return child
  }

  #psqlArgs(): readonly string[] {
    const { address, postgresPort } = this.parts
    const place = `host=${address} port=${postgresPort} user=postgres dbname=postgres connect_timeout=3`
    return ['-XAtq', '-v', 'ON_ERROR_STOP=1', place]
  }

  #rest(path: string, init: RequestInit = {}): Promise<Response> {
    const { address, restPort } = this.parts
    const signal = AbortSignal.timeout(3000)
    return fetch(`http://${address}:${restPort}/${path}`, { ...init, signal })
  }

  #postmaster(): number | undefined {
    const file = join(this.parts.directory, 'data', 'postmaster.pid')
    if (!existsSync(file)) return undefined
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
    // The file stays after kill -9, and the number may be another's by now.
    return commandLine(pid).includes(join(this.parts.directory, 'data')) ? pid : undefined
  }

  #config(): object {
    const { name, directory, address, postgresPort, restPort, restSeenAt, registry } = this.parts
    const here = `${address}:${postgresPort}`
    const rest = `${address}:${restPort}`
    return {
      scope: 'pg',
      name,
      restapi: { listen: rest, connect_address: restSeenAt ?? rest },
      consul: { host: registry, register_service: true, service_check_interval: '1s' },
      bootstrap: {
        dcs: { ...this.parts.times, postgresql: { use_pg_rewind: true } },
        initdb: [{ encoding: 'UTF8' }, 'data-checksums'],
      },
      postgresql: {
        listen: here,
        connect_address: here,
        data_dir: join(directory, 'data'),
        bin_dir: postgresBin(),
        pgpass: join(directory, 'pgpass'),
        authentication: {
          superuser: { username: 'postgres', password },
          replication: { username: 'replicator', password },
          rewind: { username: 'rewind', password },
        },
        parameters: { unix_socket_directories: directory, shared_buffers: '16MB' },
        pg_hba: ['host replication all 127.0.0.0/8 md5', 'host all all 127.0.0.0/8 md5'],
      },
    }
  }
}

function environment(directory: string): NodeJS.ProcessEnv {
  const { PATH } = process.env
  return { PATH, HOME: directory, LC_ALL: 'C.UTF-8', PGPASSWORD: password }
}

function run(file: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, words, { env, timeout: 60_000 }, (error, out, err) => {
      if (error === null) resolve(out.trim())
      else reject(new Error(`${file} ${words.join(' ')}: ${out}${err}`, { cause: error }))
    })
  })
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** A process that nobody has waited for yet is dead too. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
