import { checkNotEmpty } from './check.ts'
import type { OptionRow } from './option-row.ts'

const port = { kind: 'integer', min: -1, max: 65_535, default: -1, group: 'DNS' } as const
const file = {
  kind: 'string',
  default: undefined,
  group: 'DNS',
  placeholder: 'path',
  check: checkNotEmpty,
} as const

/** DNS over TLS and over HTTPS; rows of the options table. */
export const dnsTlsOptions = {
  'ports.dnsTls': {
    ...port,
    flag: 'dns-tls-port',
    file: 'ports.dns_tls',
    description:
      'The port for DNS over TLS (RFC 7858). 0 picks a free port, -1 turns it off. It needs -dns-cert-file and -dns-key-file.',
    placeholder: 'port',
    example: '853',
  },
  'ports.dnsHttps': {
    ...port,
    flag: 'dns-https-port',
    file: 'ports.dns_https',
    description:
      'The port for DNS over HTTPS (RFC 8484), with the path /dns-query. 0 picks a free port, -1 turns it off. It needs -dns-cert-file and -dns-key-file.',
    placeholder: 'port',
    example: '443',
  },
  'dnsTls.certFile': {
    ...file,
    flag: 'dns-cert-file',
    file: 'tls.dns.cert_file',
    description:
      'A PEM file with the certificate for DNS over TLS and HTTPS, followed by those of intermediate authorities. The agent reads it again at each reload.',
    example: '/etc/svcd/dc1-server-svcd-0.pem',
  },
  'dnsTls.keyFile': {
    ...file,
    flag: 'dns-key-file',
    file: 'tls.dns.key_file',
    description: 'A PEM file with the private key of -dns-cert-file.',
    example: '/etc/svcd/dc1-server-svcd-0-key.pem',
  },
} as const satisfies Record<string, OptionRow>
