import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { valueText, tableOf } from '../../core/series.ts'
import type { PlotData } from '../../core/series.ts'
import { clockText } from '../../core/time-text.ts'
import { isUtc, theme } from '../../data/preferences.ts'
import { Empty } from '../note.tsx'
import { systemLook } from '../screen.ts'

interface PlotProps {
  readonly title: string
  readonly unit: string
  readonly data: PlotData
  /** Areas on top of each other, whose heights add up. */
  readonly isStacked?: boolean
}

/** Series over the last hour, as a drawing, with the same values as a table for those who cannot see it. */
export function Plot({ title, unit, data, isStacked = false }: PlotProps): JSX.Element {
  const [isTable, setTable] = useState(false)
  return (
    <figure class="plot">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {data.series.map(({ name, color, values }) => (
            <li key={name}>
              <span class={`swatch ${color}`} aria-hidden="true" />
              {name}
              <strong>{valueText(values.at(-1), unit)}</strong>
            </li>
          ))}
        </ul>
        <button
          type="button"
          class="quiet"
          aria-pressed={isTable}
          onClick={() => setTable(!isTable)}
        >
          Table
        </button>
      </figcaption>
      {isTable ? (
        <ValueTable title={title} unit={unit} data={data} />
      ) : (
        <Drawing title={title} unit={unit} data={data} isStacked={isStacked} />
      )}
    </figure>
  )
}

/** Most of what is loaded for a plot, and only with the first one. */
const drawing = signal<typeof import('./draw.ts') | undefined>(undefined)

function Drawing({ title, unit, data, isStacked = false }: PlotProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const [isBroken, setBroken] = useState(false)
  const loaded = drawing.value
  const look = `${theme.value} ${systemLook.value}`
  useEffect(() => {
    import('./draw.ts').then(
      (module) => {
        drawing.value = module
      },
      () => setBroken(true),
    )
  }, [])
  // Not after the next frame: it would show a plot in the colours of the last theme.
  useLayoutEffect(() => {
    if (loaded === undefined || place.current === null) return undefined
    return loaded.drawPlot(place.current, { data, unit, isStacked, isUtc: isUtc.peek() })
  }, [loaded, data, unit, isStacked, look])
  if (isBroken)
    return (
      <Empty title="The plot could not be loaded">
        <p>Reload the page: the agent may have been updated. The table has the same values.</p>
      </Empty>
    )
  return <div ref={place} class="drawing" role="img" aria-label={spoken(title, unit, data)} />
}

function spoken(title: string, unit: string, { series }: PlotData): string {
  const now = series.map(({ name, values }) => `${name} ${valueText(values.at(-1), unit)}`)
  return `${title}, now: ${now.join(', ')}. The button "Table" shows all values.`
}

/** A value per five minutes: the mean. */
function ValueTable({ title, unit, data }: PlotProps): JSX.Element {
  const rows = tableOf(data, 30)
  return (
    <div class="values" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">until</th>
            {data.series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ atMs, values }) => (
            <tr key={atMs}>
              <th scope="row">{clockText(atMs, isUtc.value)}</th>
              {values.map((value, at) => (
                <td key={data.series[at]?.name}>{valueText(value, unit)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
