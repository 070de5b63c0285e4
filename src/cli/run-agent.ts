import { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { version } from '../base/version.ts'
import type { Config } from '../config/options.ts'
import { createLogger } from '../node/log.ts'
import { startNode } from '../node/node.ts'
import { RecentLog } from '../node/recent-log.ts'
import { hostPort, type Endpoint } from './endpoint.ts'
import { endByHangUp, Terminal } from './hang-up.ts'
import type { Io } from './io.ts'
import { startSample, type Sample } from './sample.ts'

/** Runs one node until SIGTERM or SIGINT. Rejects when it cannot start. */
export async function runAgent(config: Config, io: Io): Promise<void> {
  const recent = new RecentLog()
  const write = (line: string): void => {
    recent.add(line)
    io.out(line)
  }
  const logger = createLogger({ level: config.logLevel, json: config.logJson, write })
  // With -log-json every line of the output is JSON.
  const say = config.logJson ? () => {} : io.out
  say(banner(config))
  const terminal = new Terminal()
  const stopSignal = Promise.race([nextStopSignal(), ...(config.dev ? [hangUp(terminal)] : [])])
  const hurry = new AbortController()
  void stopSignal.then(() => hurry.abort())
  const starting = startNode(config, logger, hurry.signal, () => recent.lines())
  const node = await starting.catch((error: unknown) => {
    throw config.sample ? forNpmStart(error) : error
  })
  say(endpointLines(node.http, node.dns))
  say('==> svcd agent running! Log data will now stream in as it occurs:\n\n')
  if (config.logJson) {
    const { http, dns } = node
    logger.info({ version, node: config.nodeName, http, dns }, 'svcd agent running!')
  }
  const sample = config.sample ? await sampleFor(node, config) : undefined
  say(sample?.text ?? '')
  process.on('SIGHUP', () => {
    if (!config.dev || !terminal.isGone) void reload(node, logger)
  })
  const reason = await Promise.race([stopSignal, node.left.then(() => 'left the cluster')])
  logger.info({ reason }, 'stopping')
  sample?.stop()
  await node.stop()
  if (terminal.isGone) endByHangUp()
}

/** Resolves when the terminal is closed. A -dev agent is its window's; a server goes on without. */
function hangUp(terminal: Terminal): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on('SIGHUP', (signal) => {
      if (terminal.isGone) resolve(signal)
    })
  })
}

/** Definition and zone files are read again; options keep the values that the agent started with. */
async function reload(node: { reload(): Promise<void> }, logger: Logger): Promise<void> {
  try {
    await node.reload()
    logger.info({}, 'definition and zone files were read again')
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    logger.error({ reason: error.message }, 'the zone files stay as they were')
  }
}

async function sampleFor(
  node: { readonly http: readonly Endpoint[]; readonly dns: readonly Endpoint[] },
  config: Config,
): Promise<Sample | undefined> {
  const [http] = node.http
  const [dns] = node.dns
  return http && dns ? startSample(http, dns, config.domain) : undefined
}

/** `npm start` runs with the sample, and passes flags on only after `--`. */
function forNpmStart(error: unknown): unknown {
  if (!(error instanceof SvcdError) || error.code !== 'port-in-use') return error
  const text = error.message.replace(/another with (-[\w-]+)/, 'another: npm start -- $1 PORT')
  return new SvcdError(error.code, text, error)
}

/** npm and the terminal both deliver one Ctrl-C, milliseconds apart. */
const sameSignalMs = 500

/**
 * Resolves at the first SIGTERM or SIGINT; a later one ends the process at once, for whoever will
 * not wait for a clean stop.
 */
async function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | undefined
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstMs !== undefined && performance.now() - firstMs > sameSignalMs) process.exit(1)
      firstMs ??= performance.now()
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** The lines before the log, as Consul's users know them. */
function banner(config: Config): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Version', version],
    ['Node name', config.nodeName],
    ['Datacenter', config.datacenter],
    ['Server', String(config.server)],
    ['Data', config.dataDir ?? 'a temporary directory, removed on stop'],
  ]
  return `==> Starting svcd agent...\n${facts.map(factLine).join('')}`
}

function endpointLines(http: readonly Endpoint[], dns: readonly Endpoint[]): string {
  const lines = [factLine(['HTTP', listOf(http, 'http://')]), factLine(['DNS', listOf(dns, '')])]
  return `${lines.join('')}\n`
}

function listOf(endpoints: readonly Endpoint[], scheme: string): string {
  return endpoints.length === 0 ? 'off' : endpoints.map((e) => scheme + hostPort(e)).join(' ')
}

function factLine([name, value]: readonly [string, string]): string {
  return `${name.padStart(12)}: ${value}\n`
}
