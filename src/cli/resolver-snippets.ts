import { isIP } from 'node:net'
import { hostPort, type Endpoint } from './endpoint.ts'

/** What a resolver forwards, and where. */
export interface Forwarding extends Endpoint {
  /** Without a final dot. */
  readonly domain: string
}

/** What a file of a resolver must have. */
export interface SnippetFile {
  readonly path: string
  readonly text: string
}

export interface Snippet {
  readonly files: readonly SnippetFile[]
  /** What to run or to know afterwards. */
  readonly steps: readonly string[]
}

export interface ResolverSystem {
  readonly description: string
  /** It can query port 53 only, and of an address that others reach. */
  readonly needs?: 'port 53' | 'port 53 of an address that is not loopback'
  readonly snippet: (forwarding: Forwarding) => Snippet
}

/** The resolvers that can forward a domain, by the names that the command takes. */
export const resolverSystems: Readonly<Record<string, ResolverSystem>> = {
  'systemd-resolved': {
    description: 'systemd-resolved, version 246 or newer',
    snippet: ({ domain, ...server }) => ({
      files: [
        {
          path: '/etc/systemd/resolved.conf.d/svcd.conf',
          text: `[Resolve]\nDNS=${hostPort(server)}\nDomains=~${domain}\nDNSSEC=false\n`,
        },
      ],
      steps: ['systemctl restart systemd-resolved'],
    }),
  },
  dnsmasq: {
    description: 'dnsmasq, also that of NetworkManager',
    snippet: ({ domain, address, port }) => ({
      files: [{ path: '/etc/dnsmasq.d/svcd.conf', text: `server=/${domain}/${address}#${port}\n` }],
      steps: ['systemctl restart dnsmasq'],
    }),
  },
  unbound: { description: 'Unbound', snippet: unbound },
  bind: { description: 'BIND 9.14 or newer', snippet: bind },
  'pdns-recursor': { description: 'PowerDNS Recursor 5 or newer', snippet: powerDns },
  coredns: {
    description: 'CoreDNS, also that of Kubernetes',
    snippet: ({ domain, ...server }) => ({
      files: [
        {
          path: 'Corefile',
          text: `${domain}:53 {\n    errors\n    forward . ${hostPort(server)}\n}\n`,
        },
      ],
      steps: ['kill -USR1 "$(pidof coredns)"'],
    }),
  },
  docker: {
    description: 'the Docker daemon',
    needs: 'port 53 of an address that is not loopback',
    snippet: ({ address }) => ({
      files: [{ path: '/etc/docker/daemon.json', text: `{ "dns": ["${address}"] }\n` }],
      steps: ['systemctl restart docker'],
    }),
  },
  macos: {
    description: 'macOS',
    snippet: ({ domain, address, port }) => ({
      files: [{ path: `/etc/resolver/${domain}`, text: `nameserver ${address}\nport ${port}\n` }],
      steps: [],
    }),
  },
  'resolv.conf': {
    description: "the C library's own resolver, without a local resolver",
    needs: 'port 53',
    snippet: ({ address }) => ({
      files: [
        {
          path: '/etc/resolv.conf',
          text: `nameserver ${address}\nnameserver 192.0.2.53\noptions timeout:1\n`,
        },
      ],
      steps: [
        'Replace 192.0.2.53 by the name server for all other names. If svcd has a -recursor, remove the line.',
      ],
    }),
  },
}

function unbound({ domain, address, port }: Forwarding): Snippet {
  const local = isLoopback(address) ? '    do-not-query-localhost: no\n' : ''
  const text = `server:
${local}    domain-insecure: "${domain}"
    private-domain: "${domain}"

stub-zone:
    name: "${domain}"
    stub-addr: ${address}@${port}
`
  return {
    files: [{ path: '/etc/unbound/unbound.conf.d/svcd.conf', text }],
    steps: ['unbound-checkconf', 'systemctl reload unbound'],
  }
}

function bind({ domain, address, port }: Forwarding): Snippet {
  const zone = `zone "${domain}" {
    type forward;
    forward only;
    forwarders { ${address} port ${port}; };
};
`
  const exception = `    validate-except { "${domain}"; };\n`
  return {
    files: [
      { path: '/etc/bind/named.conf.local', text: zone },
      { path: 'the options block of /etc/bind/named.conf.options', text: exception },
    ],
    steps: ['named-checkconf', 'rndc reconfig'],
  }
}

function powerDns({ domain, ...server }: Forwarding): Snippet {
  const text = `recursor:
  forward_zones:
    - zone: ${domain}
      forwarders: ['${hostPort(server)}']
dnssec:
  negative_trustanchors:
    - name: ${domain}
      reason: svcd does not sign
`
  return {
    files: [{ path: '/etc/powerdns/recursor.d/svcd.yml', text }],
    steps: ['systemctl restart pdns-recursor'],
  }
}

export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}
