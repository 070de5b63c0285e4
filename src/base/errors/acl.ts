/** Rows of the error table: access control. */
export const aclErrors = {
  'acl-not-found': {
    http: 403,
    exit: 1,
    text: 'ACL not found: the token of this request does not exist or has expired. Send another token.',
  },
  'permission-denied': {
    http: 403,
    exit: 1,
    text: "Permission denied: token with AccessorID '{accessor}' lacks permission '{permission}'{on}. Add a rule to one of its policies, or send another token.",
  },
  'acl-rules-invalid': {
    http: 400,
    exit: 1,
    text: 'Failed to parse ACL rules: At {line}:{column}: {reason}',
  },
  'acl-rules-too-large': {
    http: 400,
    exit: 1,
    text: 'The rules of a policy have {size} bytes, and at most {max} are allowed. Split them into several policies.',
  },
  'acl-token-unknown': {
    http: 403,
    exit: 1,
    text: 'ACL not found: there is no token with the AccessorID "{id}".',
  },
  'acl-policy-unknown': { http: 403, exit: 1, text: 'ACL not found: there is no policy {what}.' },
  'acl-role-unknown': { http: 404, exit: 1, text: 'There is no role {what}.' },
  'acl-token-gone': {
    http: 404,
    exit: 1,
    text: 'Cannot find token "{id}". Create it with PUT /v1/acl/token.',
  },
  'acl-policy-gone': {
    http: 404,
    exit: 1,
    text: 'cannot find policy {id}. Create it with PUT /v1/acl/policy.',
  },
  'acl-role-gone': {
    http: 404,
    exit: 1,
    text: 'cannot find role {id}. Create it with PUT /v1/acl/role.',
  },
  'acl-id-missing': { http: 400, exit: 1, text: 'Missing {what}' },
  'acl-id-given': {
    http: 400,
    exit: 1,
    text: 'Cannot specify the ID when creating a new {what}',
  },
  'acl-id-differs': { http: 400, exit: 1, text: '{what} in URL and payload do not match' },
  'acl-token-invalid': { http: 400, exit: 1, text: 'Invalid Token: {reason}' },
  'acl-policy-invalid': { http: 400, exit: 1, text: 'Invalid Policy: {reason}' },
  'acl-role-invalid': { http: 400, exit: 1, text: 'Invalid Role: {reason}' },
  'acl-link-unknown': {
    http: 400,
    exit: 1,
    text: 'No such ACL {what} with {by} "{value}". Create the {what} first.',
  },
  'acl-secret-fixed': {
    http: 400,
    exit: 1,
    text: 'Changing a tokens SecretID is not permitted. Create another token.',
  },
  'acl-local-fixed': {
    http: 400,
    exit: 1,
    text: 'cannot toggle local mode of {id}. Create another token.',
  },
  'acl-expiration-fixed': {
    http: 400,
    exit: 1,
    text: 'Cannot change expiration time of {id}. Create another token.',
  },
  'acl-anonymous-fixed': {
    http: 400,
    exit: 1,
    text: 'Delete operation not permitted on the anonymous token. Remove its policies instead.',
  },
  'acl-own-token': {
    http: 400,
    exit: 1,
    text: "Deletion of the request's authorization token is not permitted. Send another token.",
  },
  'acl-built-in-fixed': {
    http: 400,
    exit: 1,
    text: 'Changing or deleting the builtin {name} policy is not permitted. Create another policy.',
  },
  'acl-filters': {
    http: 400,
    exit: 1,
    text: 'can only filter by one of policy, role, or methodName at a time',
  },
  'acl-bootstrapped': {
    http: 403,
    exit: 1,
    text: 'Permission denied: ACL bootstrap no longer allowed (reset index: {index}). To do it again, write this number to the file acl-bootstrap-reset in the data directory of this server.',
  },
  'acl-reset-index-wrong': {
    http: 403,
    exit: 1,
    text: 'Permission denied: Invalid bootstrap reset index (specified {specified}, reset index: {index}). Write the reset index to the file acl-bootstrap-reset in the data directory of this server.',
  },
  'acl-legacy': {
    http: 404,
    exit: 1,
    text: '{path} does not exist: Consul removed the ACLs of before version 1.4 in version 1.11. Use /v1/acl/token and /v1/acl/policy.',
  },
  'agent-token-unknown': {
    http: 404,
    exit: 1,
    text: 'Token "{type}" is unknown. The tokens of the agent are default, dns, agent and agent_recovery.',
  },
} as const
