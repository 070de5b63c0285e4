import { checkAliases, checkFields, serviceFields } from './shapes.ts'
import { listOf, object, text } from './decode.ts'
import type { Reader } from './decode.ts'

// What Consul's configuration files hold under `service` and `check`: the bodies of agent/*/register, but
// for the ID of a service's check, which is called just that.

const serviceCheck = object(
  { ...checkFields, CheckID: text, Token: text },
  { ...checkAliases, id: 'CheckID' },
)

export const fileServiceShape = object({
  ...serviceFields,
  Name: text,
  Check: serviceCheck,
  Checks: listOf(serviceCheck),
  Token: text,
})

export const fileCheckShape = object(
  { ...checkFields, ID: text, Token: text },
  { ...checkAliases, checkid: 'ID', check_id: 'ID' },
)

export type FileServiceBody = typeof fileServiceShape extends Reader<infer T> ? T : never
