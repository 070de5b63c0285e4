import type { JSX } from 'preact'
import type { Suggestion } from '../core/complete.ts'
import { visibleText } from '../core/text.ts'

interface SuggestionsProps {
  readonly rows: readonly Suggestion[]
  /** The suggestion that Enter takes. */
  readonly chosen: number
  readonly onTake: (suggestion: Suggestion) => void
}

/** The ID of an option, for the search box to name. */
export function optionId(index: number): string {
  return `suggestion-${index}`
}

/** How the query can continue. The focus stays in the search box. */
export function Suggestions({ rows, chosen, onTake }: SuggestionsProps): JSX.Element | null {
  if (rows.length === 0) return null
  return (
    <ul id="suggestions" class="suggestions" role="listbox" aria-label="Suggestions">
      {rows.map((row, index) => (
        <li
          key={row.word}
          id={optionId(index)}
          role="option"
          aria-selected={index === chosen}
          // Before the box loses the focus.
          onMouseDown={(event) => {
            event.preventDefault()
            onTake(row)
          }}
        >
          <bdi>{visibleText(row.word)}</bdi>
        </li>
      ))}
    </ul>
  )
}
