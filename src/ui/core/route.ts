import { wellFormed } from './text.ts'

/** The values of a path by the names in its pattern; undefined when it does not fit. */
export type PathValues = Readonly<Record<string, string>>

/** Compares `services/:name` with a path. Values are decoded: names hold slashes and percent signs. */
export function matchPath(pattern: string, path: string): PathValues | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/\/$/, '').split('/')
  if (wanted.length !== given.length) return undefined
  const values: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? ''
    if (!part.startsWith(':')) {
      if (part !== text) return undefined
      continue
    }
    const value = decoded(text)
    if (value === undefined || value === '') return undefined
    values[part.slice(1)] = plainName(value)
  }
  return values
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The path of a page: `pathTo('services', 'a/b')` is `/ui/services/a%2Fb`. */
export function pathTo(...parts: readonly string[]): string {
  return `/ui/${parts.map(encodePart).join('/')}`
}

/** `.`, `..`, and what {@link encodePart} makes of them, however often. */
const dots = /^\.{1,2}$|^(?:%(?:25)*2E){1,2}$/

/** Browsers take the segments `.` and `..` out of a path, also when they are encoded. So these are encoded twice. */
function encodePart(part: string): string {
  const safe = wellFormed(part)
  const plain = dots.test(safe) ? safe.replaceAll('%', '%25').replaceAll('.', '%2E') : safe
  return encodeURIComponent(plain)
}

/** Undoes {@link encodePart}. */
function plainName(value: string): string {
  return dots.test(value) ? decodeURIComponent(value) : value
}

/** The path of a request to another datacenter; '' is the one of the agent. */
export function toDatacenter(path: string, datacenter: string): string {
  if (datacenter === '') return path
  return `${path}${path.includes('?') ? '&' : '?'}dc=${encodeURIComponent(datacenter)}`
}

/** A path with parameters, without the undefined and empty ones. */
export function withParameters(
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, value)
  }
  return search.size === 0 ? path : `${path}?${search.toString()}`
}
