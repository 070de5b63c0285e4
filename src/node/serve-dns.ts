import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { Zone } from '../dns/zone.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import { dnsRightsOf } from '../resolver/dns-rights.ts'
import { PeerNotices } from '../process/peer-notices.ts'
import { shareRateLimit } from '../resolver/protection/protection-share.ts'
import type { DnsMode } from '../resolver/mode.ts'
import { DnsService } from '../resolver/service.ts'
import type { QueryLogSettings } from '../resolver/traffic/query-log.ts'
import { cacheShareBytes } from '../resolver/threads/default-threads.ts'
import type { EncryptedDns } from '../resolver/streams.ts'
import { domainsOf, zoneOf } from '../resolver/zones/zone.ts'
import { zonesIn } from '../resolver/zones/zone-files.ts'
import { loadZoneFiles } from '../resolver/zones/zone-loader.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { AccessControl } from './access-control.ts'
import type { NodeCertificates } from './certificates.ts'
import { recursionOf } from './recursion.ts'
import { transfersOf, tsigKeysOf } from './transfers.ts'
import { dnsRights, followDnsRights } from './dns-access.ts'

export interface DnsParts {
  readonly config: Config
  readonly logger: Logger
  /** The data directory. */
  readonly directory: string
  readonly statePath: string
  readonly versions: Versions
  readonly mode: DnsMode
  readonly gate: ConnectionGate
  readonly access: AccessControl
  readonly certificates: NodeCertificates
  readonly clock: Clock
  readonly onSuspicion: (reason: string) => void
  readonly onDeath: (error: Error) => void
  /** What to call at the stop is added here. */
  readonly stops: (() => void | Promise<void>)[]
}

export interface ServedDns {
  /** Undefined: DNS is off. */
  readonly dns: DnsService | undefined
  /** Reads the zone files again. Rejects with `zone-invalid`. */
  readonly setZone: () => Promise<void>
  /** Opens the query log again; with a new configuration, as that says. */
  readonly reopenQueryLog: (config?: Config) => void
}

/** Opens DNS. It shows what the token of DNS may read, from its first answer on. */
export async function serveDns(parts: DnsParts): Promise<ServedDns> {
  const { stops, access, logger } = parts
  const zone = (): Promise<Zone> => zoneFrom(parts)
  const onRights = { tokens: access.tokens, secret: () => access.dnsSecret, logger }
  const first = dnsRights(onRights)
  const dns = await startDns(parts, await zone(), dnsRightsOf(first))
  stops.push(() => dns?.stop())
  parts.certificates.users.dns = (certificate) => dns?.useCertificate(certificate)
  if (dns !== undefined) stops.push(await followDnsRights({ ...onRights, dns }, first))
  return {
    dns,
    setZone: async () => dns?.setZone(await zone()),
    reopenQueryLog: (config) => {
      if (config === undefined) dns?.reopenQueryLog()
      else dns?.useQueryLog(queryLogOf(config))
    },
  }
}

/** Undefined: the options ask for no query log. */
function queryLogOf({ dns }: Pick<Config, 'dns'>): QueryLogSettings | undefined {
  const { file, sample, rotateBytes, rotateSeconds, rotateMaxFiles } = dns.queryLog
  if (file === undefined) return undefined
  const rotation = { rotateBytes, rotateMs: rotateSeconds * 1000, rotateMaxFiles }
  return { path: file, every: sample, ...rotation }
}

/** Without an option that says where, zone files are looked for in the data directory. */
async function zoneFrom({ config, directory, logger }: DnsParts): Promise<Zone> {
  const path = config.zonesDir ?? zonesIn(directory)
  const { zones, warnings } = await loadZoneFiles(path, domainsOf(config))
  for (const warning of warnings) logger.warn({ warning }, 'zone file warning')
  return zoneOf(config, zones)
}

/** Undefined: DNS over TLS and HTTPS is off. */
function encryptedDns(parts: DnsParts): EncryptedDns | undefined {
  const { config, certificates, logger, clock } = parts
  const certificate = certificates.dns
  if (certificate === undefined) return undefined
  const notices = new PeerNotices(logger, clock)
  return {
    tlsPort: config.ports.dnsTls,
    httpsPort: config.ports.dnsHttps,
    certificate,
    handshakeTimeoutMs: config.dns.tcpIoTimeoutSeconds * 1000,
    onFault: (what, address, reason) => {
      const text = `no ${what} connection with ${address}: ${reason}`
      notices.warn(address, what, { address, reason }, text)
    },
  }
}

async function startDns(
  parts: DnsParts,
  zone: Zone,
  rights: ReturnType<typeof dnsRightsOf>,
): Promise<DnsService | undefined> {
  const { config, logger, statePath, versions, mode, gate, onSuspicion, onDeath } = parts
  if (config.ports.dns < 0) return undefined
  const tsigKeys = tsigKeysOf(config)
  return DnsService.start({
    answering: {
      statePath,
      versions: versions.buffer,
      mode: mode.shared.buffer,
      zone,
      onlyPassing: config.dns.onlyPassing,
      nodeName: config.nodeName,
      udpSizeMax: config.dns.udpSizeMax,
      cacheBytesMax: cacheShareBytes(config.dns),
      rights,
      rateLimit: shareRateLimit({
        perSecond: config.dns.rateLimit,
        slip: config.dns.rateLimitSlip,
        exempt: config.dns.rateLimitExempt,
      }),
      tsigKeys: tsigKeys.length === 0 ? undefined : tsigKeys,
    },
    addresses: config.dnsAddresses,
    port: config.ports.dns,
    path: config.dns.udp,
    threads: config.dns.threads,
    recursion: recursionOf(config),
    queryLog: queryLogOf(config),
    transfers: transfersOf(config, tsigKeys, parts.directory, parts.clock),
    tcpGate: gate,
    tcpLimits: {
      idleTimeoutMs: config.dns.tcpIdleTimeoutSeconds * 1000,
      frameTimeoutMs: config.dns.tcpIoTimeoutSeconds * 1000,
    },
    encrypted: encryptedDns(parts),
    logger,
    onSuspicion,
    onDeath,
  })
}
