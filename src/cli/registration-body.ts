import type { ServiceRegistration } from '../client/rows.ts'
import type { FileServiceBody } from '../definition/definition-shapes.ts'

const durations = ['Interval', 'Timeout', 'TTL', 'DeregisterCriticalServiceAfter'] as const

type FileCheckBody = NonNullable<FileServiceBody['Check']>

/** A service of a file as the body of PUT agent/service/register, which has durations as text. */
export function registrationBody(body: FileServiceBody): ServiceRegistration {
  const { Check, Checks, ...rest } = body
  return {
    ...rest,
    Name: body.Name ?? '',
    ...(Check !== undefined && { Check: checkBody(Check) }),
    ...(Checks !== undefined && { Checks: Checks.map(checkBody) }),
  } as ServiceRegistration
}

function checkBody(check: FileCheckBody): Readonly<Record<string, unknown>> {
  const { Token: _token, ...fields } = check
  const texts = durations.flatMap((name) => {
    const durationMs = check[name]
    return durationMs === undefined ? [] : [[name, `${durationMs}ms`] as const]
  })
  return { ...fields, ...Object.fromEntries(texts) }
}
