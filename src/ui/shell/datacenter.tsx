import type { JSX } from 'preact'
import { visibleText } from '../core/text.ts'
import { useFetched } from '../data/fetched.ts'
import { datacenter, showDatacenter } from '../data/preferences.ts'

/** The datacenter that the page shows, and a choice of all that the agent knows. The own one is the first. */
export function Datacenter(): JSX.Element | null {
  const { data } = useFetched<readonly string[]>('catalog/datacenters')
  const [own] = data ?? []
  if (data === undefined || own === undefined) return null
  const shown = datacenter === '' ? own : datacenter
  const choose = (name: string): void => {
    if (name !== shown) showDatacenter(name === own ? '' : name)
  }
  return (
    <select
      class={data.length === 1 ? 'datacenter only' : 'datacenter'}
      aria-label="Datacenter"
      title={`Datacenter ${visibleText(shown)}`}
      value={shown}
      onChange={({ currentTarget }) => choose(currentTarget.value)}
    >
      {[...new Set([shown, ...data])].map((name) => (
        <option key={name} value={name}>
          {visibleText(name)}
        </option>
      ))}
    </select>
  )
}
