import { createHttpApi } from '../api/http-api.ts'
import type { HttpApi } from '../api/http-api.ts'
import { closingWith, listenHttps } from '../api/https-listener.ts'
import { listenHttp, turnsFor } from '../api/listeners.ts'
import type { Clock } from '../base/clock.ts'
import type { BoundAddress } from '../base/host-port.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import type { Backend } from '../ports/backend.ts'
import type { LimitedLines } from '../process/limited-lines.ts'
import { machineNames } from '../process/machine-names.ts'
import { PeerNotices } from '../process/peer-notices.ts'
import type { Replica } from '../replica/replica.ts'
import type { DnsService } from '../resolver/service.ts'
import { nodeNames } from '../resolver/zones/node-names.ts'
import type { AccessControl } from './access-control.ts'
import { auditOf } from './auditing.ts'
import { bootstrapResetFile } from './bootstrap-reset.ts'
import type { NodeCertificates } from './certificates.ts'
import { requestLimits } from './connections.ts'
import { localDns } from './local-dns.ts'
import { readUiFiles } from './ui-files.ts'

export interface HttpParts {
  readonly config: Config
  readonly backend: Backend
  /** Undefined: DNS is off. */
  readonly dns: DnsService | undefined
  readonly replica: Replica
  readonly access: AccessControl
  readonly certificates: NodeCertificates
  readonly gate: ConnectionGate
  readonly lines: LimitedLines
  readonly logger: Logger
  readonly clock: Clock
  /** The data directory. */
  readonly directory: string
  /** What to call at the stop is added here. */
  readonly stops: (() => void | Promise<void>)[]
}

/** Where the HTTP API is served; an empty list: that port is off. */
export interface ServedHttp {
  readonly http: readonly BoundAddress[]
  readonly https: readonly BoundAddress[]
}

/** Opens the HTTP API over a node. */
export async function serveHttp(parts: HttpParts): Promise<ServedHttp> {
  const { config, backend, replica, access, lines, logger, directory, stops } = parts
  const api = createHttpApi(backend, logger, {
    allowedHosts: [...config.allowedHosts, ...(await machineNames()), ...nodeNames(config)],
    warningLines: lines,
    tokens: access.tokens,
    explanations: access.tokens,
    agentTokens: access,
    bootstrapReset: bootstrapResetFile(directory, logger),
    audit: auditOf(config, replica),
    limits: requestLimits(config),
    dns: localDns(parts.dns),
    site: config.ui ? () => readUiFiles() : undefined,
  })
  stops.push(() => api.close())
  return listen(api, parts)
}

async function listen(
  api: HttpApi,
  { config, gate, certificates, logger, clock }: HttpParts,
): Promise<ServedHttp> {
  const { ports, httpAddresses, httpsAddresses, limits } = config
  const closing = closingWith(api)
  const headerTimeoutMs = limits.httpHeaderTimeoutSeconds * 1000
  const both = { gate, headerTimeoutMs, turns: turnsFor(gate) }
  const http =
    ports.http < 0
      ? []
      : await listenHttp(api, { ...both, addresses: httpAddresses, port: ports.http })
  const tls = certificates.https
  if (ports.https < 0 || tls === undefined) return { http, https: [] }
  const notices = new PeerNotices(logger, clock)
  const port = await listenHttps(api, {
    ...both,
    addresses: httpsAddresses,
    port: ports.https,
    tls,
    handshakeTimeoutMs: limits.httpsHandshakeTimeoutSeconds * 1000,
    onFault: (address, reason) => {
      const text = `no HTTPS connection with ${address}: ${reason}`
      notices.warn(address, 'HTTPS', { address, reason }, text)
    },
    closing,
  })
  certificates.users.https = port.use
  return { http, https: port.endpoints }
}
