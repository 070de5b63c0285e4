import type { ApiEndpoint } from '../../context.ts'
import { authorizeEndpoint } from './authorize.ts'
import { bootstrapEndpoints } from './bootstrap.ts'
import { policyEndpoints } from './policies.ts'
import { roleEndpoints } from './roles.ts'
import { tokenEndpoints } from './tokens.ts'
import { whyEndpoints } from './why.ts'

/** acl/*: tokens, policies and roles. */
export const aclEndpoints: readonly ApiEndpoint[] = [
  ...bootstrapEndpoints,
  ...tokenEndpoints,
  ...policyEndpoints,
  ...roleEndpoints,
  ...whyEndpoints,
  authorizeEndpoint,
]
