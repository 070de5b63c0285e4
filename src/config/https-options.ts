import { checkIps, checkNotEmpty } from './check.ts'
import type { OptionRow } from './option-row.ts'

const file = {
  kind: 'string',
  default: undefined,
  group: 'Network',
  placeholder: 'path',
  check: checkNotEmpty,
} as const

/** HTTPS for the HTTP API; rows of the options table. */
export const httpsOptions = {
  httpsAddresses: {
    kind: 'strings',
    default: undefined,
    flag: 'https-addresses',
    file: 'addresses.https',
    group: 'Network',
    description: 'The IP addresses for HTTPS, if they differ from -client.',
    placeholder: 'ips',
    example: '0.0.0.0',
    defaultText: 'the addresses of -client',
    check: checkIps,
  },
  'ports.https': {
    kind: 'integer',
    min: -1,
    max: 65_535,
    default: -1,
    flag: 'https-port',
    file: 'ports.https',
    group: 'Network',
    description:
      'The HTTPS port. 0 picks a free port, -1 turns HTTPS off. It needs -https-cert-file and -https-key-file.',
    placeholder: 'port',
    example: '8501',
  },
  'https.certFile': {
    ...file,
    flag: 'https-cert-file',
    file: 'tls.https.cert_file',
    description:
      'A PEM file with the certificate for HTTPS, followed by those of intermediate authorities. The agent reads it again at each reload.',
    example: '/etc/svcd/dc1-server-svcd-0.pem',
  },
  'https.keyFile': {
    ...file,
    flag: 'https-key-file',
    file: 'tls.https.key_file',
    description: 'A PEM file with the private key of -https-cert-file.',
    example: '/etc/svcd/dc1-server-svcd-0-key.pem',
  },
  'https.caFile': {
    ...file,
    flag: 'https-ca-file',
    file: 'tls.https.ca_file',
    description:
      'A PEM file with the certificate authorities that sign the certificates of HTTPS clients. It is used only with -https-verify-incoming.',
    example: '/etc/svcd/svcd-agent-ca.pem',
  },
  'https.verifyIncoming': {
    kind: 'boolean',
    default: false,
    flag: 'https-verify-incoming',
    file: 'tls.https.verify_incoming',
    group: 'Network',
    description:
      'Refuse HTTPS clients without a certificate that an authority in -https-ca-file has signed.',
  },
} as const satisfies Record<string, OptionRow>
