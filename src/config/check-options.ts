import { checkNotEmpty } from './check.ts'
import type { OptionRow } from './option-row.ts'

/** The options of checks and definition files; rows of the options table. */
export const checkOptions = {
  configDirs: {
    kind: 'strings',
    default: [],
    flag: 'config-dir',
    group: 'Agent',
    description:
      'A directory whose *.json files are read in alphabetical order, with options, services and checks. `svcd reload` and SIGHUP read services and checks again. Repeatable.',
    placeholder: 'path',
    example: '/etc/svcd.d',
  },
  'checks.enableScripts': {
    kind: 'boolean',
    default: false,
    flag: 'enable-script-checks',
    file: 'enable_script_checks',
    group: 'Checks',
    description:
      "Run script checks from any source, including those registered over HTTP. Everyone who can reach the HTTP API can then run commands as this agent's user.",
  },
  'checks.enableLocalScripts': {
    kind: 'boolean',
    default: false,
    flag: 'enable-local-script-checks',
    file: 'enable_local_script_checks',
    group: 'Checks',
    description: 'Run script checks, but only those that configuration files define.',
  },
  'checks.caFile': {
    kind: 'string',
    default: undefined,
    flag: 'check-ca-file',
    file: 'check_tls.ca_file',
    group: 'Checks',
    description:
      "A PEM file with the certificate authorities that TLS checks trust, instead of the system's.",
    placeholder: 'path',
    example: '/etc/svcd/check-ca.pem',
    check: checkNotEmpty,
  },
  'checks.certFile': {
    kind: 'string',
    default: undefined,
    flag: 'check-cert-file',
    file: 'check_tls.cert_file',
    group: 'Checks',
    description:
      'A PEM file with the client certificate that TLS checks present to services that require one. Use it with -check-key-file.',
    placeholder: 'path',
    example: '/etc/svcd/check.pem',
    check: checkNotEmpty,
  },
  'checks.keyFile': {
    kind: 'string',
    default: undefined,
    flag: 'check-key-file',
    file: 'check_tls.key_file',
    group: 'Checks',
    description: 'A PEM file with the private key of -check-cert-file.',
    placeholder: 'path',
    example: '/etc/svcd/check-key.pem',
    check: checkNotEmpty,
  },
} as const satisfies Record<string, OptionRow>
