import type { ReloadReport } from '../ports/reload.ts'
import { SvcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { changedOptions } from '../config/changed-options.ts'
import type { ConfigFile } from '../config/config-file.ts'
import type { Config } from '../config/options.ts'
import type { ReadConfig } from '../config/parse.ts'
import type { Agent } from '../agent/agent.ts'
import type { DefinitionFiles } from '../agent/files/document.ts'
import type { CertificateReport } from './certificates.ts'
import { definitionsOf } from './open-agent.ts'

/** The configuration as it would be with these files, and the flags and variables of the start. */
export type Reread = (files: readonly ConfigFile[]) => ReadConfig

export interface ReloadingParts {
  readonly config: Config
  /** Undefined: the options are not looked at. */
  readonly reread: Reread | undefined
  readonly agent: Pick<Agent, 'load'>
  /** Applies the options of access control. */
  readonly setAcl: (acl: Config['acl']) => void
  readonly certificates: { reload(changed: Config | undefined): CertificateReport }
  /** Rejects with `zone-invalid`. */
  readonly setZone: () => Promise<void>
  /** Opens the audit log again: it may have been moved. */
  readonly reopenAudit?: () => void
  /** The same for the query log; with a new configuration, as that says. */
  readonly reopenQueryLog?: (config?: Config) => void
  readonly logger: Logger
}

/**
 * Reads definition files, zone files and certificates again, one call after the other: the last read version is served.
 * The options that the table marks for it are applied; all others keep their values, and changed ones are named.
 */
export function reloading(parts: ReloadingParts): () => Promise<ReloadReport> {
  let last: Promise<unknown> = Promise.resolve()
  const applied: Applied = { config: parts.config }
  return () => {
    const next = last.then(() => reload(parts, applied))
    last = next.catch(() => undefined)
    return next
  }
}

/** The options that are in force by now, as far as a reload applies them. */
interface Applied {
  config: Config
}

async function reload(parts: ReloadingParts, applied: Applied): Promise<ReloadReport> {
  const { config, agent, certificates, logger, reopenAudit, reopenQueryLog } = parts
  reopenAudit?.()
  const files = await definitionsOf(config)
  const options = optionsReport(files, parts)
  reopenQueryLog?.(options.config)
  const report = await agent.load(files)
  const zone = await setZone(parts)
  const pem = certificates.reload(options.config)
  const whole = {
    taken: [...report.taken, ...takenOptions(options.config, applied, pem), ...pem.taken],
    leftOut: [...report.leftOut, ...options.leftOut, ...zone, ...pem.leftOut],
    heldBack: report.heldBack,
    restartNeeded: options.restartNeeded,
  }
  logReport(whole, logger)
  for (const reason of zone) logger.error({ reason }, 'keeping the previous zone files')
  return whole
}

/**
 * The parts that are left out: the zone files all together when one is faulty. Definitions are read
 * nevertheless.
 */
async function setZone({ setZone: set }: ReloadingParts): Promise<readonly string[]> {
  try {
    await set()
    return []
  } catch (error) {
    if (!(error instanceof SvcdError)) throw error
    return [error.message]
  }
}

function optionsReport(
  files: DefinitionFiles,
  { config, reread, setAcl, logger }: ReloadingParts,
): Pick<ReloadReport, 'leftOut' | 'restartNeeded'> & { readonly config?: Config | undefined } {
  // Without one of its files a configuration would look changed.
  if (files.findings.some(({ holdsOptions }) => holdsOptions)) return noOptions
  const read = reread?.(files.options)
  if (read === undefined) return noOptions
  const leftOut = read.problems.map(({ message }) => message)
  for (const reason of leftOut) logger.error({ reason }, 'ignoring an invalid option')
  if (read.config === undefined) return { leftOut, restartNeeded: [] }
  setAcl(read.config.acl)
  const { needRestart: restartNeeded } = changedOptions(config, read.config)
  return { leftOut, restartNeeded, config: read.config }
}

/** Names the options that this reload has applied. Those of TLS between servers are, unless certificates are faulty. */
function takenOptions(
  read: Config | undefined,
  applied: Applied,
  { leftOut }: CertificateReport,
): readonly string[] {
  if (read === undefined) return []
  const now = leftOut.length === 0 ? read : { ...read, peerTls: applied.config.peerTls }
  const { reloadable } = changedOptions(applied.config, now)
  applied.config = now
  return reloadable.map((key) => `option ${key}: changed`)
}

const noOptions = { leftOut: [], restartNeeded: [] }

function logReport(
  { taken, leftOut, heldBack, restartNeeded }: ReloadReport,
  logger: Logger,
): void {
  const counts = { taken: taken.length, leftOut: leftOut.length, heldBack: heldBack.length }
  if (restartNeeded.length > 0) {
    logger.warn({ options: restartNeeded }, 'changed options take effect at the next start')
  }
  if (leftOut.length + heldBack.length === 0) {
    logger.info({ taken: taken.length }, 'reloaded definition and zone files')
  } else {
    logger.warn(counts, 'reloaded definition and zone files, but did not accept everything')
  }
}
