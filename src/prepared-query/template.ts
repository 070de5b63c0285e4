import { compileGroups } from '../filter/pattern-groups.ts'
import type { QueryDefinition, ServiceQuery } from '../state/query/model.ts'
import { isTemplate, namePrefixMatch } from '../state/query/model.ts'
import { evaluate } from './evaluate.ts'
import type { Scope } from './evaluate.ts'
import { parseExpression } from './expression.ts'
import type { Expression } from './expression.ts'
import { TemplateError } from './template-error.ts'

/** What a query asks for under a name. Throws TemplateError where the expressions have no value. */
export type Render = (name: string) => ServiceQuery

type Groups = (name: string) => readonly string[] | undefined

/**
 * Compiles a query. Without a template, it asks for the same under each name. It is rendered once, with its own
 * name, so that most faults show. Throws TemplateError with Consul's texts.
 */
export function compileQuery(definition: QueryDefinition): Render {
  const { service, template, name: prefix } = definition
  if (!isTemplate(definition)) return () => service
  if (template.type !== namePrefixMatch) {
    throw new TemplateError(`Bad Template.Type '${template.type}'`)
  }
  const expressions = expressionsOf(service)
  const groups = template.regexp === '' ? undefined : groupsOf(template.regexp)
  const render: Render = (name) => {
    const scope = scopeOf(name, prefix, groups)
    const rendered = withTexts(service, (text, path) => {
      const expression = expressions.get(path)
      return expression === undefined ? text : textOf(expression, text, path, scope)
    })
    if (!template.removeEmptyTags) return rendered
    return { ...rendered, tags: (rendered.tags ?? []).filter((tag) => tag !== '') }
  }
  render(prefix)
  return render
}

function groupsOf(regexp: string): Groups {
  try {
    return compileGroups(regexp)
  } catch (error) {
    const reason = (error as Error).message
    throw new TemplateError(`Bad Regexp: error parsing regexp: ${reason}`, { cause: error })
  }
}

function scopeOf(name: string, prefix: string, groups: Groups | undefined): Scope {
  let found: readonly string[] | undefined
  return {
    variables: {
      'name.full': name,
      'name.prefix': prefix,
      'name.suffix': suffixOf(name, prefix),
      // There is one network segment, without a name.
      'agent.segment': '',
    },
    match: (number) => (found ??= groups?.(name) ?? [])[number] ?? '',
  }
}

/** Names match in any case, and DNS asks in lower case. */
function suffixOf(name: string, prefix: string): string {
  const isFirst = name.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase()
  return isFirst ? name.slice(prefix.length) : name
}

/** By the path of each text that has an expression in it. */
function expressionsOf(service: ServiceQuery): ReadonlyMap<string, Expression> {
  const found = new Map<string, Expression>()
  withTexts(service, (text, path) => {
    if (!text.includes('$')) return text
    try {
      found.set(path, parseExpression(text))
    } catch (error) {
      throw within(error, `Bad format '${text}' in ${path}`)
    }
    return text
  })
  return found
}

function textOf(expression: Expression, text: string, path: string, scope: Scope): string {
  try {
    return evaluate(expression, scope)
  } catch (error) {
    throw within(error, `Bad evaluation for '${text}' in ${path}`)
  }
}

function within(error: unknown, where: string): unknown {
  if (!(error instanceof TemplateError)) return error
  return new TemplateError(`${where}: ${error.message}`, { cause: error })
}

/** The query with each of its texts replaced, by the text and its path in Consul's notation. */
function withTexts(
  service: ServiceQuery,
  replace: (text: string, path: string) => string,
): ServiceQuery {
  const list = (texts: readonly string[] | null, path: string): readonly string[] | null =>
    texts?.map((text, at) => replace(text, `${path}[${at}]`)) ?? null
  const map = (texts: ServiceQuery['nodeMeta'], path: string): ServiceQuery['nodeMeta'] => {
    if (texts === null) return null
    const entries = Object.entries(texts)
    return Object.fromEntries(entries.map(([key, text]) => [key, replace(text, `${path}[${key}]`)]))
  }
  return {
    ...service,
    service: replace(service.service, 'Service.Service'),
    failover: {
      ...service.failover,
      datacenters: list(service.failover.datacenters, 'Service.Failover.Datacenters'),
    },
    ignoreCheckIds: list(service.ignoreCheckIds, 'Service.IgnoreCheckIDs'),
    near: replace(service.near, 'Service.Near'),
    tags: list(service.tags, 'Service.Tags'),
    nodeMeta: map(service.nodeMeta, 'Service.NodeMeta'),
    serviceMeta: map(service.serviceMeta, 'Service.ServiceMeta'),
  }
}
