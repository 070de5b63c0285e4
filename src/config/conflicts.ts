import type { Config, OptionName } from './options.ts'

/** Two options, or more, that exclude each other. */
export interface Conflict {
  /** The option that the error names. */
  readonly option: OptionName
  /** The others that it depends on. */
  readonly with: readonly OptionName[]
  readonly reason: string
}

const noClientAgents =
  'svcd does not support client agents yet. Start a server with -server -data-dir PATH, or try svcd out with -dev. On machines without a server, register services with a remote server over HTTP (CONSUL_HTTP_ADDR or -http-addr); that server runs their checks'

/** The rules between options. */
export function conflicts(config: Config): readonly Conflict[] {
  return [
    ...clusterConflicts(config),
    ...fileConflicts(config),
    ...httpsConflicts(config),
    ...dnsTlsConflicts(config),
    ...transferConflicts(config),
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
    add('encryptVerify', ['encrypt'], 'there is no cluster secret to verify; set -encrypt, too')
  }
  if (dev && bootstrapExpect !== 1) {
    add('bootstrapExpect', ['retryJoin'], '-dev runs a single server; use -server for a cluster')
  } else if (bootstrapExpect === 0 && retryJoin.length === 0) {
    const reason =
      'with 0 the server joins an existing cluster; give the address of one of its servers with -retry-join'
    add('bootstrapExpect', ['retryJoin'], reason)
  } else if (bootstrapExpect > 1 && retryJoin.length === 0) {
    const others = bootstrapExpect - 1
    const reason = `the server must find ${others} other ${others === 1 ? 'server' : 'servers'}; give their addresses with -retry-join`
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
      reason: 'set both -check-cert-file and -check-key-file, or neither',
    })
  }
  const names = ['certFile', 'keyFile', 'caFile'] as const
  if (names.every((name) => peerTls[name] === undefined)) {
    const reason =
      'there are no certificates for connections between servers; set -peer-cert-file, -peer-key-file and -peer-ca-file'
    const others = names.map((name) => `peerTls.${name}` as const)
    if (peerTls.mode !== 'strict') found.push({ option: 'peerTls.mode', with: others, reason })
    if (peerTls.verifyServerRole === true) {
      found.push({ option: 'peerTls.verifyServerRole', with: others, reason })
    }
  }
  const missing = names.find((name) => peerTls[name] === undefined)
  if (missing !== undefined && names.some((name) => peerTls[name] !== undefined)) {
    found.push({
      option: `peerTls.${missing}`,
      with: ['peerTls.certFile', 'peerTls.keyFile', 'peerTls.caFile'],
      reason: 'set all of -peer-cert-file, -peer-key-file and -peer-ca-file, or none of them',
    })
  }
  return found
}

function serverConflicts({ dev, server, dataDir }: Config): readonly Conflict[] {
  if (!server) {
    const reason = dev ? '-dev always runs a server; leave this option out' : noClientAgents
    return [{ option: 'server', with: [], reason }]
  }
  if (dev && dataDir !== undefined) {
    const reason =
      '-dev keeps its data in a temporary directory and removes it when it stops; leave -data-dir out, or use -server instead of -dev'
    return [{ option: 'dataDir', with: [], reason }]
  }
  if (dev || dataDir !== undefined) return []
  const reason = 'a server needs a data directory; set -data-dir, or use -dev'
  return [{ option: 'dataDir', with: [], reason }]
}

/** Half a configuration would be HTTP without TLS, or TLS that lets everybody in. */
function httpsConflicts({ ports, https }: Config): readonly Conflict[] {
  const found: Conflict[] = []
  const add = (option: OptionName, others: readonly OptionName[], reason: string): void => {
    found.push({ option, with: others, reason })
  }
  const isOn = ports.https >= 0
  const hasFiles = https.certFile !== undefined && https.keyFile !== undefined
  const both = ['https.certFile', 'https.keyFile'] as const
  if (isOn && !hasFiles) {
    const reason = 'HTTPS needs a certificate and its key: set -https-cert-file and -https-key-file'
    add(https.certFile === undefined ? both[0] : both[1], [...both, 'ports.https'], reason)
  } else if (!isOn && https.verifyIncoming) {
    const reason = 'HTTPS is off; set -https-port to serve it'
    add('https.verifyIncoming', ['ports.https'], reason)
  } else if (!isOn && (https.certFile !== undefined || https.keyFile !== undefined)) {
    const reason =
      'HTTPS is off; set -https-port to serve it. For TLS between servers set -peer-cert-file, -peer-key-file and -peer-ca-file'
    add(https.certFile === undefined ? both[1] : both[0], [...both, 'ports.https'], reason)
  }
  if (https.verifyIncoming && https.caFile === undefined) {
    const reason = 'the certificates of clients are verified with -https-ca-file; set it'
    add('https.caFile', ['https.verifyIncoming'], reason)
  }
  return found
}

/** Without a certificate there is no encryption, and an agent must not start as if there were. */
function dnsTlsConflicts({ ports, dnsTls }: Config): readonly Conflict[] {
  const found: Conflict[] = []
  const files = ['dnsTls.certFile', 'dnsTls.keyFile'] as const
  const { certFile, keyFile } = dnsTls
  const port = ports.dnsTls >= 0 ? 'ports.dnsTls' : 'ports.dnsHttps'
  const isOn = ports.dnsTls >= 0 || ports.dnsHttps >= 0
  if (isOn && ports.dns < 0) {
    const reason = 'DNS is off; set -dns-port to serve it'
    found.push({ option: port, with: ['ports.dns'], reason })
  }
  if (isOn && (certFile === undefined || keyFile === undefined)) {
    const reason =
      'DNS over TLS and HTTPS needs a certificate and its key: set -dns-cert-file and -dns-key-file'
    const option = certFile === undefined ? files[0] : files[1]
    found.push({ option, with: [...files, port], reason })
  } else if (!isOn && (certFile !== undefined || keyFile !== undefined)) {
    const reason = 'DNS over TLS and HTTPS is off; set -dns-tls-port or -dns-https-port to serve it'
    const option = certFile === undefined ? files[1] : files[0]
    found.push({ option, with: ['ports.dnsTls', 'ports.dnsHttps'], reason })
  }
  return found
}

function transferConflicts({ dns, ports }: Config): readonly Conflict[] {
  const { notify, transferAllow } = dns
  if (notify.length > 0 && transferAllow.length === 0) {
    const reason =
      'secondaries that are told of a change may not transfer the zone; allow them with -dns-transfer-allow'
    return [{ option: 'dns.notify', with: ['dns.transferAllow'], reason }]
  }
  if (transferAllow.length === 0 || ports.dns >= 0) return []
  const reason = 'DNS is off; set -dns-port to serve it'
  return [{ option: 'dns.transferAllow', with: ['ports.dns'], reason }]
}

const tcpPorts = [
  ['ports.dns', 'dns', 'DNS'],
  ['ports.http', 'http', 'HTTP'],
  ['ports.https', 'https', 'HTTPS'],
  ['ports.dnsTls', 'dnsTls', 'DNS-over-TLS'],
  ['ports.dnsHttps', 'dnsHttps', 'DNS-over-HTTPS'],
] as const

function portConflicts({ ports }: Config): readonly Conflict[] {
  return tcpPorts.flatMap(([option, key], at) =>
    tcpPorts
      .slice(at + 1)
      .filter(([, other]) => ports[key] > 0 && ports[key] === ports[other])
      .map(([otherOption, , other]) => ({
        option,
        with: [otherOption],
        reason: `port ${ports[key]} is also the ${other} port, and both use TCP; choose another port for one of them`,
      })),
  )
}

function nameConflicts(config: Config): readonly Conflict[] {
  const { altDomain, datacenter, domain, nodeName } = config
  const parts = ['domain', 'altDomain', 'datacenter'] as const
  if (altDomain === domain) {
    const reason = `${altDomain} is already the domain (-domain); choose another name, or leave -alt-domain out`
    return [{ option: 'altDomain', with: ['domain'], reason }]
  }
  const names = [domain, altDomain]
    .filter((name) => name !== undefined)
    .map((name) => `${nodeName}.node.${datacenter}.${name}`)
  const long = names.find((name) => name.length > 253)
  if (long === undefined) return []
  const reason = `the full name ${long} has ${long.length} characters; DNS allows 253`
  return [{ option: 'nodeName', with: parts, reason }]
}
