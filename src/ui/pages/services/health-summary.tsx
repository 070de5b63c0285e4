import type { JSX } from 'preact'
import { pathTo, withParameters } from '../../core/route.ts'
import { numberText } from '../../core/text.ts'
import { Status } from '../../parts/mark.tsx'

const shown = ['critical', 'warning', 'maintenance', 'passing'] as const

interface HealthSummaryProps {
  readonly rows: readonly { readonly health: string }[]
  /** The page whose rows they are. */
  readonly page?: string
}

/** How many rows are in which health; each number leads to them. */
export function HealthSummary({ rows, page = 'services' }: HealthSummaryProps): JSX.Element {
  const counts = new Map<string, number>()
  for (const { health } of rows) counts.set(health, (counts.get(health) ?? 0) + 1)
  return (
    <ul class="health-summary">
      {shown
        .filter((health) => (counts.get(health) ?? 0) > 0)
        .map((health) => (
          <li key={health}>
            <a href={withParameters(pathTo(page), { q: `status:${health}` })}>
              <Status health={health} text={`${numberText(counts.get(health) ?? 0)} ${health}`} />
            </a>
          </li>
        ))}
    </ul>
  )
}
