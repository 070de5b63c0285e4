import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { parameters, setParameters } from '../data/location.ts'
import { useInView } from './in-view.ts'

export interface TabRow {
  readonly id: string
  readonly title: string
  readonly content: () => JSX.Element
}

/** Parts of a page, one at a time. The URL says which one: `?tab=dns`. */
export function Tabs({
  rows,
  label,
}: {
  readonly rows: readonly TabRow[]
  readonly label: string
}): JSX.Element {
  const asked = parameters.value.get('tab')
  const chosen = rows.find(({ id }) => id === asked) ?? rows[0]
  const first = rows[0]?.id
  const list = useRef<HTMLDivElement>(null)
  useInView(list, chosen?.id)
  const choose = (id: string): void => {
    setParameters({ tab: id === first ? '' : id })
    document.getElementById(`tab-${id}`)?.focus()
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step === undefined || chosen === undefined) return
    const next = rows[(rows.indexOf(chosen) + step + rows.length) % rows.length]
    if (next !== undefined) choose(next.id)
    event.preventDefault()
  }
  return (
    <>
      <div ref={list} class="tabs" role="tablist" aria-label={label} onKeyDown={onKey}>
        {rows.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === chosen?.id}
            aria-controls="tab-panel"
            tabIndex={id === chosen?.id ? 0 : -1}
            onClick={() => choose(id)}
          >
            {title}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${chosen?.id ?? ''}`}>
        {chosen?.content()}
      </div>
    </>
  )
}
