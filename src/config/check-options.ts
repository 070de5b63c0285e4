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
      'A directory of JSON files (*.json, in order of name) with options, services and checks. Services and checks are read again on SIGHUP. Repeatable.',
    placeholder: 'path',
  },
  'checks.enableScripts': {
    kind: 'boolean',
    default: false,
    flag: 'enable-script-checks',
    file: 'enable_script_checks',
    group: 'Checks',
    description:
      "Run checks that are scripts, also those registered over HTTP: whoever can reach the API then runs commands as this agent's user.",
  },
  'checks.enableLocalScripts': {
    kind: 'boolean',
    default: false,
    flag: 'enable-local-script-checks',
    file: 'enable_local_script_checks',
    group: 'Checks',
    description: 'Run checks that are scripts, those defined in files only.',
  },
  'checks.caFile': {
    kind: 'string',
    default: undefined,
    flag: 'check-ca-file',
    file: 'check_tls.ca_file',
    group: 'Checks',
    description: "The authorities that checks over TLS trust, PEM, in place of the system's.",
    placeholder: 'path',
    check: checkNotEmpty,
  },
  'checks.certFile': {
    kind: 'string',
    default: undefined,
    flag: 'check-cert-file',
    file: 'check_tls.cert_file',
    group: 'Checks',
    description: 'The certificate that checks show to services that ask for one, PEM.',
    placeholder: 'path',
    check: checkNotEmpty,
  },
  'checks.keyFile': {
    kind: 'string',
    default: undefined,
    flag: 'check-key-file',
    file: 'check_tls.key_file',
    group: 'Checks',
    description: 'The key of that certificate, PEM.',
    placeholder: 'path',
    check: checkNotEmpty,
  },
} as const satisfies Record<string, OptionRow>
