import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly hint?: ComponentChildren
  readonly value: string
  readonly onChange: (value: string) => void
  readonly isMono?: boolean
  readonly placeholder?: string
  /** Values to choose from; others may be typed. */
  readonly options?: readonly string[]
}

/** One line of text with a label. */
export function Field(props: FieldProps): JSX.Element {
  const { label, hint, value, onChange, isMono = false, placeholder, options } = props
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        class={isMono ? 'mono' : undefined}
        autocomplete="off"
        spellcheck={false}
        value={value}
        placeholder={placeholder}
        list={options === undefined ? undefined : `${id}-options`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      {options !== undefined && (
        <datalist id={`${id}-options`}>
          {options.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  )
}

interface SelectProps {
  readonly label: string
  readonly value: string
  readonly options: readonly (readonly [value: string, title: string])[]
  readonly onChange: (value: string) => void
}

/** A choice of one of a few. */
export function Select({ label, value, options, onChange }: SelectProps): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([each, title]) => (
          <option key={each} value={each}>
            {title}
          </option>
        ))}
      </select>
    </div>
  )
}
