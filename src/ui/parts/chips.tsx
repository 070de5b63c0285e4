import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { visibleText } from '../core/text.ts'
import { Icon } from './icon.tsx'

interface ChipsProps {
  readonly label: string
  /** What one of them is: `policy`. */
  readonly what: string
  readonly hint: string
  readonly values: readonly string[]
  /** Also empties the box. */
  readonly onChange: (values: readonly string[]) => void
  /** What stands in the box, and is not added yet. */
  readonly typed: string
  readonly onTyped: (typed: string) => void
  /** The only values that there are; left out: any text. */
  readonly known?: readonly string[]
}

/** Of a long list only some are offered: browsers draw all of them. */
const offeredMax = 200

/** A list of names that one can add to and take from. */
export function Chips(props: ChipsProps): JSX.Element {
  const { label, what, hint, values, onChange, typed, onTyped, known } = props
  const [fault, setFault] = useState('')
  const id = useId()
  const add = (): void => {
    const value = typed.trim()
    if (value === '') return
    if (known !== undefined && !known.includes(value)) {
      setFault(`There is no ${what} "${visibleText(value)}".`)
      return
    }
    setFault('')
    onChange(values.includes(value) ? values : [...values, value])
  }
  const onKey = (event: KeyboardEvent): void => {
    // Enter adds the name, and does not send the form.
    if (event.key !== 'Enter' || typed.trim() === '') return
    event.preventDefault()
    add()
  }
  const offered = (known ?? []).filter(
    (each) => each.includes(typed.trim()) && !values.includes(each),
  )
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Chosen values={values} what={what} onChange={onChange} />
      <div class="with-button">
        <input
          id={id}
          type="text"
          class="mono"
          autocomplete="off"
          spellcheck={false}
          placeholder={`Name of a ${what}`}
          value={typed}
          list={known === undefined ? undefined : `${id}-known`}
          aria-describedby={`${id}-hint`}
          aria-invalid={fault !== ''}
          onInput={({ currentTarget }) => {
            onTyped(currentTarget.value)
            setFault('')
          }}
          onKeyDown={onKey}
        />
        <button type="button" aria-label={`Add ${what}`} onClick={add}>
          Add
        </button>
      </div>
      {known !== undefined && (
        <datalist id={`${id}-known`}>
          {offered.slice(0, offeredMax).map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      <p id={`${id}-hint`} class={fault === '' ? 'hint' : 'hint wrong'} role="status">
        {fault === '' ? hint : fault}
      </p>
    </div>
  )
}

/** The names that are chosen already. */
function Chosen({
  values,
  what,
  onChange,
}: Pick<ChipsProps, 'values' | 'what' | 'onChange'>): JSX.Element | null {
  if (values.length === 0) return null
  return (
    <ul class="chips">
      {values.map((value) => (
        <li key={value} class="chip">
          <bdi>{visibleText(value)}</bdi>
          <button
            type="button"
            class="bare"
            title={`Remove ${visibleText(value)}`}
            aria-label={`Remove ${what} ${visibleText(value)}`}
            onClick={() => onChange(values.filter((each) => each !== value))}
          >
            <Icon name="clear" />
          </button>
        </li>
      ))}
    </ul>
  )
}
