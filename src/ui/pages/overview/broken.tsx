import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { pathTo, withParameters } from '../../core/route.ts'
import { counted } from '../../core/text.ts'
import { useTimes } from '../../data/times.ts'
import { Grid } from '../../parts/grid.tsx'
import { Status } from '../../parts/mark.tsx'
import { columnsFor } from '../services/services-page.tsx'
import { defaultSort, ordered } from '../services/service-rows.ts'
import type { ServiceRow } from '../services/service-rows.ts'

/** More than these are in the list of services. */
const rowsMax = 8

/** The services that do not pass, the worst first. */
export function Broken({ rows }: { readonly rows: readonly ServiceRow[] }): JSX.Element {
  const broken = useMemo(
    () =>
      ordered(
        rows.filter(({ health }) => health !== 'passing'),
        defaultSort,
      ),
    [rows],
  )
  const shown = broken.slice(0, rowsMax)
  useTimes(shown.map(({ summary }) => summary.Reason?.ModifyIndex ?? 0))
  if (broken.length === 0) {
    return (
      <section>
        <h2>Not passing</h2>
        <p class="well">
          <Status health="passing" text={`All ${counted(rows.length, 'service')} are passing`} />
        </p>
      </section>
    )
  }
  return (
    <section>
      <h2>Not passing</h2>
      <Grid
        label="Services that do not pass"
        columns={columnsFor('').filter(({ id }) => id !== 'tags')}
        rows={shown}
        keyOf={({ summary }) => summary.Name}
        hrefOf={({ summary }) => pathTo('services', summary.Name)}
      />
      {broken.length > shown.length && (
        <p class="more">
          <a href={withParameters(pathTo('services'), { q: '-status:passing' })}>
            Show all {broken.length.toLocaleString('en')}
          </a>
        </p>
      )}
    </section>
  )
}
