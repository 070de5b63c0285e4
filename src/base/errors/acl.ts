/** Rows of the error table: access control. */
export const aclErrors = {
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
