/** What readers of tokens, policies and roles may wait for. The names of linked policies and roles count. */
export const aclSubject = {
  tokens: 'acl-tokens',
  policies: 'acl-policies',
  roles: 'acl-roles',
} as const
