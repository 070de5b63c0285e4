import type { JSX } from 'preact'
import type { AgentHistory } from '../../../client/rows.ts'
import { pathTo, withParameters } from '../../core/route.ts'
import { Name } from '../../parts/name.tsx'

/** The services whose health changed most often. */
export function Flapping({ rows }: { readonly rows: AgentHistory['Flapping'] }): JSX.Element {
  return (
    <section class="flapping">
      <h2>Flapping</h2>
      <p class="muted">Changes of health in the last hour, as this agent saw them</p>
      <ul class="tally">
        {rows.slice(0, 10).map(({ Service, Changes }) => (
          <li key={Service}>
            <Name
              text={Service}
              href={withParameters(pathTo('services', Service), { tab: 'history' })}
            />
            <span class="muted">{Changes}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
