import type { OptionRow } from './option-row.ts'
import { checkNotify, checkTransferAllow, checkTsigKeys } from './transfers.ts'

/** The options of zone transfers to secondaries; rows of the options table. */
export const transferOptions = {
  'dns.transferAllow': {
    kind: 'strings',
    default: [],
    flag: 'dns-transfer-allow',
    file: 'dns_config.transfer_allow',
    group: 'DNS',
    description:
      'Who may transfer zones (AXFR): a network, key:NAME for all clients with that TSIG key, or NETWORK#NAME for both together. Repeatable.',
    placeholder: 'rule',
    example: '10.0.0.2#transfer',
    defaultText: 'no client',
    check: checkTransferAllow,
  },
  'dns.notify': {
    kind: 'strings',
    default: [],
    flag: 'dns-notify',
    file: 'dns_config.notify',
    group: 'DNS',
    description:
      'A secondary that is told when a zone changes (NOTIFY): address, address:port, or address#key to sign the message with a TSIG key. Repeatable.',
    placeholder: 'server',
    example: '10.0.0.2#transfer',
    defaultText: 'none',
    check: checkNotify,
  },
  tsigKeys: {
    kind: 'strings',
    default: [],
    flag: 'tsig-key',
    file: 'tsig_keys',
    group: 'DNS',
    description:
      'A TSIG key for signed DNS queries and zone transfers, as dig writes it: [ALGORITHM:]NAME:SECRET, with the secret in base64. The default algorithm is hmac-sha256. Repeatable.',
    placeholder: 'key',
    example: 'hmac-sha256:transfer:c2VjcmV0LWZvci10cmFuc2ZlcnM=',
    defaultText: 'none',
    isSecret: true,
    check: checkTsigKeys,
  },
  tsigKeyFiles: {
    kind: 'strings',
    default: [],
    flag: 'tsig-key-file',
    file: 'tsig_key_files',
    group: 'DNS',
    description:
      'A file with TSIG keys, as tsig-keygen of BIND writes it, or one key per line as for -tsig-key. Repeatable.',
    placeholder: 'path',
    example: '/etc/svcd/transfer.key',
    defaultText: 'none',
  },
} as const satisfies Record<string, OptionRow>
