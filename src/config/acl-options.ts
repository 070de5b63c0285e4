import { checkSecret } from './check.ts'
import type { OptionRow } from './option-row.ts'

const secret = {
  kind: 'string',
  default: undefined,
  group: 'Access control',
  placeholder: 'secret',
  isSecret: true,
  isReloadable: true,
  check: checkSecret,
} as const

/** Access control; rows of the options table. */
export const aclOptions = {
  'acl.enabled': {
    kind: 'boolean',
    default: false,
    flag: 'acl',
    file: 'acl.enabled',
    group: 'Access control',
    isReloadable: true,
    description:
      'Turn on access control: what a request may do follows from the policies of its token. Set it on all servers. A reload applies a change.',
  },
  'acl.defaultPolicy': {
    kind: 'choice',
    default: 'allow',
    choices: ['allow', 'deny'],
    flag: 'acl-default-policy',
    file: 'acl.default_policy',
    group: 'Access control',
    isReloadable: true,
    description:
      'What a token may do where none of its rules says anything. Tokens and policies always need a rule. A reload applies a change.',
    placeholder: 'policy',
    example: 'deny',
  },
  'acl.tokens.initialManagement': {
    ...secret,
    flag: 'acl-initial-management',
    file: 'acl.tokens.initial_management',
    description:
      'The secret of a token with all rights, which the leader creates if it does not exist. Without it, create the first token with PUT /v1/acl/bootstrap. A reload applies a change.',
  },
  'acl.tokens.default': {
    ...secret,
    flag: 'acl-default-token',
    file: 'acl.tokens.default',
    description:
      'The secret of the token for requests that send none. Everyone who reaches the HTTP port of this agent has its rights. A reload applies a change.',
    defaultText: 'such requests have the anonymous token',
  },
  'acl.tokens.dns': {
    ...secret,
    flag: 'acl-dns-token',
    file: 'acl.tokens.dns',
    description:
      'The secret of the token whose rights decide what DNS answers contain. A reload applies a change.',
    defaultText: 'that of -acl-default-token',
  },
  'acl.tokens.agentRecovery': {
    ...secret,
    flag: 'acl-agent-recovery-token',
    file: 'acl.tokens.agent_recovery',
    description:
      'A secret for this agent alone, which is not the secret of a token. Requests to this agent that send it may change the agent and read all nodes, also if the tokens are lost. A reload applies a change.',
  },
  'acl.tokens.agent': {
    ...secret,
    flag: 'acl-agent-token',
    file: 'acl.tokens.agent',
    description:
      "Accepted for Consul's configuration files. An svcd server writes its own node and services to the catalog without a token.",
  },
} as const satisfies Record<string, OptionRow>
