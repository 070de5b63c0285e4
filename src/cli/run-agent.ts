import { SvcdError } from '../base/errors.ts'
import { version } from '../base/version.ts'
import type { Config } from '../config/options.ts'
import { AgentLog } from '../process/log.ts'
import { startNode, type RunningNode } from '../node/node.ts'
import { writePidFile } from '../process/pid-file.ts'
import { endProcess } from '../process/threads.ts'
import type { Reread } from '../node/reloading.ts'
import { hostPort, type Endpoint } from './endpoint.ts'
import { HeldLines } from './held-lines.ts'
import { endByHangUp, Terminal } from './hang-up.ts'
import type { Io } from './io.ts'
import { startSample, type Sample } from './sample.ts'

/** What the configuration contains besides its values. */
export interface StartNotes {
  /** Settings that are accepted but not used. */
  readonly notices: readonly string[]
  readonly reread: Reread
}

/** A start takes a few seconds; after this time the log is shown without waiting for the banner. */
const bannerMs = 15_000

/** Runs one node until SIGTERM or SIGINT. Rejects when it cannot start. */
export async function runAgent(config: Config, io: Io, start: StartNotes): Promise<void> {
  // With -log-json every line of the output is JSON, and there is no banner to wait for.
  const say = config.logJson ? () => {} : io.out
  const held = new HeldLines(io.out, bannerMs)
  if (config.logJson) held.release()
  const { logLevel: level, logJson: json } = config
  const log = new AgentLog({ level, json, write: (line) => held.add(line) })
  const { logger } = log
  const terminal = new Terminal()
  const stopSignal = Promise.race([nextStopSignal(), ...(config.dev ? [hangUp(terminal)] : [])])
  const hurry = new AbortController()
  void stopSignal.then(() => hurry.abort())
  let running: RunningNode | undefined
  // Before the start: the service manager may have the agent reload as soon as it is ready. During the
  // start there is nothing to reload, and the signal must not end the process.
  process.on('SIGHUP', () => {
    if (running !== undefined && !(config.dev && terminal.isGone)) void reload(running)
  })
  // Who reads this may send signals.
  say('==> Starting svcd agent...\n')
  const starting = startNode(config, logger, hurry.signal, log, start.reread)
  const node = await starting.catch((error: unknown) => {
    held.release()
    throw config.sample ? forNpmStart(error) : error
  })
  // Only now it is certain that no other process uses the ports and the data directory.
  const removePidFile = await pidFile(config, node)
  running = node
  if (config.logJson) {
    const { http, https, dns, dnsTls, dnsHttps } = node
    const ports = { http, https, dns, dnsTls, dnsHttps }
    logger.info({ version, node: config.nodeName, ...ports }, 'svcd agent running!')
  } else if (!config.sample) held.release(banner(config, node))
  else say(banner(config, node))
  const sample = config.sample ? await sampleFor(node, config) : undefined
  held.release(config.logJson ? '' : sample?.text)
  for (const notice of start.notices) logger.warn({}, notice)
  const reason = await Promise.race([stopSignal, node.left.then(() => 'left the cluster')])
  logger.info({ reason }, 'stopping')
  sample?.stop()
  await node.stop()
  removePidFile()
  if (terminal.isGone) endByHangUp()
}

async function pidFile({ pidFile: path }: Config, node: RunningNode): Promise<() => void> {
  try {
    return path === undefined ? () => {} : writePidFile(path)
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** Resolves when the terminal is closed. A -dev agent then stops; a server keeps running. */
function hangUp(terminal: Terminal): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on('SIGHUP', (signal) => {
      if (terminal.isGone) resolve(signal)
    })
  })
}

/** The log shows the result. */
async function reload(node: Pick<RunningNode, 'reload'>): Promise<void> {
  try {
    await node.reload()
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
  }
}

async function sampleFor(node: Endpoints, config: Config): Promise<Sample | undefined> {
  const [http] = node.http
  const [dns] = node.dns
  return http && dns ? startSample(http, dns, config) : undefined
}

/** `npm start` runs with the sample, and passes on only the flags after `--`. */
function forNpmStart(error: unknown): unknown {
  if (!(error instanceof SvcdError) || error.code !== 'port-in-use') return error
  const text = error.message.replace(/another with (-[\w-]+)/, 'another: npm start -- $1 PORT')
  return new SvcdError(error.code, text, error)
}

/** npm and the terminal both deliver one Ctrl-C, milliseconds apart. */
const sameSignalMs = 500

/**
 * Resolves at the first SIGTERM or SIGINT; a later one ends the process immediately, for users who do
 * not want to wait for a clean stop.
 */
async function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | undefined
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstMs !== undefined && performance.now() - firstMs > sameSignalMs) endProcess(1)
      firstMs ??= performance.now()
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

interface Endpoints {
  readonly http: readonly Endpoint[]
  readonly https: readonly Endpoint[]
  readonly dns: readonly Endpoint[]
  readonly dnsTls: readonly Endpoint[]
  readonly dnsHttps: readonly Endpoint[]
}

/** The lines before the log, as Consul's users know them; in one piece, so that no line of the log splits them. */
function banner(config: Config, { http, https, dns, dnsTls, dnsHttps }: Endpoints): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Version', version],
    ['Node name', config.nodeName],
    ['Datacenter', config.datacenter],
    ['Server', String(config.server)],
    ['Data', config.dataDir ?? 'a temporary directory, removed on stop'],
    ['HTTP', listOf(http, 'http://')],
    ...(https.length === 0 ? [] : [['HTTPS', listOf(https, 'https://')] as const]),
    ['DNS', listOf(dns, '')],
    ...(dnsTls.length === 0 ? [] : [['DNS/TLS', listOf(dnsTls, '')] as const]),
    ...(dnsHttps.length === 0 ? [] : [['DNS/HTTPS', listOf(dnsHttps, 'https://')] as const]),
  ]
  const running = '==> svcd agent running! Log data will now stream in as it occurs:'
  return `${facts.map(factLine).join('')}\n${running}\n\n`
}

function listOf(endpoints: readonly Endpoint[], scheme: string): string {
  return endpoints.length === 0 ? 'off' : endpoints.map((e) => scheme + hostPort(e)).join(' ')
}

function factLine([name, value]: readonly [string, string]): string {
  return `${name.padStart(12)}: ${value}\n`
}
