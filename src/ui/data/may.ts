import { useFetched } from './fetched.ts'
import { token } from './preferences.ts'

/** Whether the caller may do something, as far as it is known. */
export interface May {
  /** True while it is not known: then the agent answers 403, with a reason. */
  readonly isAllowed: boolean
  /** The rule that is missing, as text; '' if nothing is. */
  readonly missing: string
}

interface Why {
  readonly Allowed: boolean
  readonly Missing: string
}

/** Asks the agent. Without access control everything is allowed. */
export function useMay(resource: string, access: string, name = ''): May {
  const search = new URLSearchParams({ resource, access, name })
  const { data } = useFetched<Why>(`acl/why?${search.toString()}`, token.value)
  if (data === undefined || data.Allowed) return { isAllowed: true, missing: '' }
  return { isAllowed: false, missing: data.Missing }
}
