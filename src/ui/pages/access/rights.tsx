import type { JSX } from 'preact'
import type { RightsEntry, RightsRule } from '../../../client/acl-rows.ts'
import { levelText, rightsByKind, ruleText } from '../../core/access.ts'
import type { KindRights } from '../../core/access.ts'
import { withParameters } from '../../core/route.ts'
import { Name } from '../../parts/name.tsx'
import { Fault, Waiting } from '../../parts/note.tsx'
import { useAcl, usePolicies } from './access-data.ts'
import { pathTo } from '../../core/route.ts'
import { Why } from './why.tsx'

/** Of a kind with very many rules only some are drawn. */
const exceptionsMax = 50

/** What a token may do: a question about one name, and a table of all rules that count. `accessor` undefined: of this tab. */
export function Rights({ accessor }: { readonly accessor: string | undefined }): JSX.Element {
  const path = accessor === undefined ? 'acl/rights' : `acl/rights?accessor=${accessor}`
  const { data, fault } = useAcl<RightsEntry>(path)
  const { data: policies } = usePolicies(accessor !== undefined)
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  const hrefOf = ({ Policy, Line }: RightsRule): string | undefined => {
    const id = policies?.find(({ Name }) => Name === Policy)?.ID
    if (id === undefined) return undefined
    return withParameters(pathTo('access', 'policies', id), { line: String(Line) })
  }
  return (
    <div class="rights">
      <section>
        <h2>Ask about one thing</h2>
        <Why accessor={accessor} hrefOf={hrefOf} />
      </section>
      <section>
        <h2>By kind</h2>
        <p class="muted">
          A rule for exactly a name counts before rules for prefixes, and a longer prefix before a
          shorter one. What no rule covers goes by the default policy, which is{' '}
          <strong>{data.DefaultPolicy}</strong>.
        </p>
        <div class="scrolled" role="region" aria-label="Rights by kind" tabIndex={0}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Kind</th>
                <th scope="col">Names</th>
                <th scope="col">May</th>
                <th scope="col">Decided by</th>
              </tr>
            </thead>
            {rightsByKind(data).map((kind) => (
              <KindRows key={kind.resource} kind={kind} hrefOf={hrefOf} />
            ))}
          </table>
        </div>
      </section>
    </div>
  )
}

interface KindProps {
  readonly kind: KindRights
  readonly hrefOf: (rule: RightsRule) => string | undefined
}

function KindRows({ kind, hrefOf }: KindProps): JSX.Element {
  const { title, resource, level, rule, exceptions } = kind
  const rest = exceptions.length - exceptionsMax
  const isUnnamed = resource === 'operator' || resource === 'acl'
  const all = isUnnamed ? '' : exceptions.length === 0 ? 'all' : 'all others'
  return (
    <tbody>
      {exceptions.slice(0, exceptionsMax).map((each, at) => (
        <tr key={`${String(each.Prefix)}${each.Name}`}>
          {at === 0 ? <th scope="row">{title}</th> : <td />}
          <td>
            <Name text={each.Prefix ? `${each.Name}…` : each.Name} />
          </td>
          <td>
            <LevelText level={each.Level} />
          </td>
          <td>
            <By rule={each} href={hrefOf(each)} />
          </td>
        </tr>
      ))}
      {rest > 0 && (
        <tr>
          <td />
          <td colSpan={3} class="muted">
            and {rest.toLocaleString('en')} more rules
          </td>
        </tr>
      )}
      <tr>
        {exceptions.length === 0 ? <th scope="row">{title}</th> : <td />}
        <td class="muted">{all}</td>
        <td>
          <LevelText level={level} />
        </td>
        <td>
          <By
            rule={rule}
            href={rule === undefined ? undefined : hrefOf(rule)}
            isFixed={resource === 'acl'}
          />
        </td>
      </tr>
    </tbody>
  )
}

function LevelText({ level }: { readonly level: string }): JSX.Element {
  return <span class={`level ${level}`}>{levelText(level)}</span>
}

interface ByProps {
  readonly rule: RightsRule | undefined
  readonly href: string | undefined
  /** The default policy never allows it. */
  readonly isFixed?: boolean
}

function By({ rule, href, isFixed = false }: ByProps): JSX.Element {
  if (rule === undefined)
    return <span class="muted">{isFixed ? 'needs a rule' : 'default policy'}</span>
  const text = ruleText(rule)
  return href === undefined ? <span>{text}</span> : <a href={href}>{text}</a>
}
