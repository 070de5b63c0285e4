/** Rows of the error table: the commands of access control. */
export const aclCommandErrors = {
  'acl-id-unknown': {
    http: 404,
    exit: 1,
    text: 'There is no {kind} whose ID is "{id}" or begins with it. To see all of them, run: svcd acl {kind} list',
  },
  'acl-id-ambiguous': {
    http: 400,
    exit: 1,
    text: 'Several IDs begin with "{id}": {ids}. Give more characters of the ID.',
  },
  'acl-question-invalid': {
    http: 400,
    exit: 1,
    text: 'Unknown {what} {given}. Use one of: {known}.',
  },
  'acl-questions-too-many': {
    http: 400,
    exit: 1,
    text: 'Refusing to process more than {max} authorizations in one request. Send several requests.',
  },
  'acl-rules-unreadable': {
    http: 500,
    exit: 1,
    text: 'Cannot read the rules from {source}: {reason}. Nothing was written.',
  },
} as const
