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
} as const
