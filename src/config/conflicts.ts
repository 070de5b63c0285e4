import type { Config, OptionName } from './options.ts'

/** Two options, or more, that cannot hold together. */
export interface Conflict {
  /** The one to name. */
  readonly option: OptionName
  /** The others that it depends on. */
  readonly with: readonly OptionName[]
  readonly reason: string
}

const noClientAgents =
  'this version has no client agents yet; start a server with -server -data-dir PATH, or try it out with -dev. Where no server is to run, services register with one over HTTP (CONSUL_HTTP_ADDR, -http-addr), which runs their checks'

/** The rules between options. */
export function conflicts(config: Config): readonly Conflict[] {
  return [
    ...clusterConflicts(config),
    ...fileConflicts(config),
    ...serverConflicts(config),
    ...portConflicts(config),
    ...nameConflicts(config),
  ]
}

function clusterConflicts(config: Config): readonly Conflict[] {
  const { bootstrapExpect, retryJoin, dev } = config
  const found: Conflict[] = []
  const add = (option: OptionName, others: readonly OptionName[], reason: string): void => {
    found.push({ option, with: others, reason })
  }
  if (!config.encryptVerify && config.encrypt.length === 0) {
    add('encryptVerify', ['encrypt'], 'there is no secret to verify; give -encrypt, too')
  }
  if (dev && bootstrapExpect !== 1) {
    add('bootstrapExpect', ['retryJoin'], '-dev runs one server; use -server for a cluster')
  } else if (bootstrapExpect === 0 && retryJoin.length === 0) {
    const reason =
      'with 0 a server joins a cluster that runs: name one of its servers with -retry-join'
    add('bootstrapExpect', ['retryJoin'], reason)
  } else if (bootstrapExpect > 1 && retryJoin.length === 0) {
    const others = bootstrapExpect - 1
    const reason = `the other ${others} servers have to be found: name them with -retry-join`
    add('bootstrapExpect', ['retryJoin'], reason)
  }
  return found
}

function fileConflicts({ checks, peerTls }: Config): readonly Conflict[] {
  const found: Conflict[] = []
  if ((checks.certFile === undefined) !== (checks.keyFile === undefined)) {
    found.push({
      option: checks.certFile === undefined ? 'checks.certFile' : 'checks.keyFile',
      with: ['checks.certFile', 'checks.keyFile'],
      reason: 'give -check-cert-file and -check-key-file together, or none',
    })
  }
  const names = ['certFile', 'keyFile', 'caFile'] as const
  const missing = names.find((name) => peerTls[name] === undefined)
  if (missing !== undefined && names.some((name) => peerTls[name] !== undefined)) {
    found.push({
      option: `peerTls.${missing}`,
      with: ['peerTls.certFile', 'peerTls.keyFile', 'peerTls.caFile'],
      reason: 'give -peer-cert-file, -peer-key-file and -peer-ca-file together, or none',
    })
  }
  return found
}

function serverConflicts({ dev, server, dataDir }: Config): readonly Conflict[] {
  if (!server) {
    const reason = dev ? '-dev runs a server; leave it out' : noClientAgents
    return [{ option: 'server', with: [], reason }]
  }
  if (dev && dataDir !== undefined) {
    const reason =
      '-dev keeps its data in a temporary directory and removes it on stop; leave one of the two out, or use -server'
    return [{ option: 'dataDir', with: [], reason }]
  }
  if (dev || dataDir !== undefined) return []
  const reason = 'a server needs a directory for its data; name one, or use -dev'
  return [{ option: 'dataDir', with: [], reason }]
}

function portConflicts({ ports: { dns, http } }: Config): readonly Conflict[] {
  if (dns !== http || dns <= 0) return []
  const reason = `port ${dns} is also the HTTP port; both need TCP`
  return [{ option: 'ports.dns', with: ['ports.http'], reason }]
}

function nameConflicts(config: Config): readonly Conflict[] {
  const { altDomain, datacenter, domain, nodeName } = config
  const parts = ['domain', 'altDomain', 'datacenter'] as const
  if (altDomain === domain) {
    const reason = `${altDomain} is the domain already; name another, or none`
    return [{ option: 'altDomain', with: ['domain'], reason }]
  }
  const names = [domain, altDomain]
    .filter((name) => name !== undefined)
    .map((name) => `${nodeName}.node.${datacenter}.${name}`)
  const long = names.find((name) => name.length > 253)
  if (long === undefined) return []
  const reason = `${long} would have ${long.length} characters; DNS allows 253`
  return [{ option: 'nodeName', with: parts, reason }]
}
