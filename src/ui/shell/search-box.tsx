import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { suggestionsFor } from '../core/complete.ts'
import type { Suggestion } from '../core/complete.ts'
import { describeQuery, parseQuery } from '../core/query.ts'
import { pathTo, withParameters } from '../core/route.ts'
import { knownValues } from '../data/known-values.ts'
import { navigate, parameters, setParameters } from '../data/location.ts'
import { Icon } from '../parts/icon.tsx'
import { screen } from '../parts/screen.ts'
import { enterRows } from './keys.tsx'
import { Suggestions, optionId } from './suggestions.tsx'

/** Filters the list of the page while one types; on other pages Enter looks for services. */
export function SearchBox({ isFilter }: { readonly isFilter: boolean }): JSX.Element {
  const [typed, setTyped] = useState('')
  // On a page with a list the URL has the query, and nothing else: two places could differ while one types.
  const text = isFilter ? (parameters.value.get('q') ?? '') : typed
  const [isOpen, setOpen] = useState(false)
  const [chosen, setChosen] = useState(-1)
  useEffect(() => setTyped(''), [isFilter])
  const rows = isOpen ? suggestionsFor(text, knownValues.value) : []
  const change = (next: string, opens: boolean): void => {
    setOpen(opens)
    setChosen(-1)
    if (isFilter) setParameters({ q: next })
    else setTyped(next)
  }
  // A field is only half a term: its values come next.
  const take = ({ query }: Suggestion): void => change(query, /[:.]$/.test(query))
  const actions: Readonly<Record<string, () => void>> = {
    Escape: () => (rows.length > 0 ? setOpen(false) : clear(text, () => change('', false))),
    ArrowDown: () => (rows.length > 0 ? setChosen((chosen + 1) % rows.length) : enterRows()),
    ArrowUp: () => setChosen(Math.max(-1, chosen - 1)),
    Enter: () => {
      const row = rows[chosen]
      setOpen(false)
      if (row !== undefined) take(row)
      else if (isFilter) enterRows()
      else if (text.trim() !== '') navigate(withParameters(pathTo('services'), { q: text }))
    },
  }
  const onKey = (event: KeyboardEvent): void => {
    const act = actions[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  }
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        type="text"
        inputMode="search"
        role="combobox"
        aria-label="Search"
        aria-describedby="understood"
        aria-expanded={rows.length > 0}
        aria-controls="suggestions"
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? optionId(chosen) : undefined}
        placeholder={
          screen.value === 'phone'
            ? 'Search'
            : 'Search: name, service:web tag:v2 status:critical -tag:old'
        }
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => change(currentTarget.value, true)}
        onKeyDown={onKey}
        onBlur={() => setOpen(false)}
      />
      <Understood text={text} />
      <kbd aria-hidden="true">/</kbd>
      <Suggestions rows={rows} chosen={chosen} onTake={take} />
    </div>
  )
}

/** Esc empties the box, and then leaves it. */
function clear(text: string, empty: () => void): void {
  if (text !== '') empty()
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
}

/** What the query means in words, or where it is wrong. */
function Understood({ text }: { readonly text: string }): JSX.Element {
  const { terms, faults } = parseQuery(text)
  const [fault] = faults
  return (
    <p
      id="understood"
      class={fault === undefined ? 'understood' : 'understood wrong'}
      role="status"
    >
      {fault === undefined ? describeQuery(terms) : `At ${fault.at + 1}: ${fault.text}`}
    </p>
  )
}
