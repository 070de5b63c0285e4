import { globMatches } from './glob.ts'
import type { Field, Term } from './query.ts'

/** What a row says about the fields of a query; a field that is left out is not judged here. */
export interface Facts {
  readonly name: string
  readonly service?: readonly string[]
  readonly tag?: readonly string[]
  readonly status?: string
  readonly node?: readonly string[]
  readonly meta?: Readonly<Record<string, string>>
}

/** Tells of each row whether it fulfills all terms. */
export function matcherOf(terms: readonly Term[]): (facts: Facts) => boolean {
  const tests = terms.map(({ field, key, values, isNegated }) => {
    const fits = values.map((value) => fitterOf(field, value))
    return (facts: Facts): boolean => {
      const texts = textsOf(field, key, facts)
      if (texts === undefined) return true
      return texts.some((text) => fits.some((fit) => fit(text))) !== isNegated
    }
  })
  return (facts) => tests.every((test) => test(facts))
}

function fitterOf(field: Field, value: string): (text: string) => boolean {
  if (field !== 'name' || value.includes('*')) return (text) => globMatches(value, text)
  const part = value.toLowerCase()
  return (text) => text.toLowerCase().includes(part)
}

function textsOf(field: Field, key: string, facts: Facts): readonly string[] | undefined {
  if (field === 'name') return [facts.name]
  if (field === 'status') return facts.status === undefined ? undefined : [facts.status]
  if (field === 'meta') {
    if (facts.meta === undefined) return undefined
    const value = facts.meta[key] ?? facts.meta[keyInAnyCase(facts.meta, key)]
    return value === undefined ? [] : [value]
  }
  return facts[field]
}

function keyInAnyCase(meta: Readonly<Record<string, string>>, key: string): string {
  return Object.keys(meta).find((each) => each.toLowerCase() === key.toLowerCase()) ?? ''
}

/** The terms that the server must judge, because the rows of a list do not say it: an expression for `?filter=`. */
export function filterOf(
  terms: readonly Term[],
  selectors: Readonly<Partial<Record<Field, string>>>,
): string {
  const parts = terms.flatMap(({ field, key, values, isNegated }) => {
    const selector = selectors[field]
    if (selector === undefined) return []
    const path = field === 'meta' ? `${selector}[${inQuotes(key)}]` : selector
    const any = values.map((value) => comparison(path, value)).join(' or ')
    return [isNegated ? `not (${any})` : `(${any})`]
  })
  return parts.join(' and ')
}

function comparison(path: string, value: string): string {
  if (!value.includes('*')) return `${path} == ${inQuotes(value)}`
  const parts = value.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return `${path} matches ${inQuotes(`^${parts.join('.*')}$`)}`
}

function inQuotes(text: string): string {
  return text.includes('`') ? `"${text.replaceAll('"', '\\"')}"` : `\`${text}\``
}
