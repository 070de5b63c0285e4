import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { useFetched } from '../../data/fetched.ts'

interface ServiceInputProps {
  readonly label: string
  readonly value: string
  readonly isDisabled?: boolean
  readonly hint?: string
  readonly onInput: (text: string) => void
}

/** A browser shows no more. */
const offeredMax = 1000

/** A field for the name of a service, which offers those of the catalog. */
export function ServiceInput(props: ServiceInputProps): JSX.Element {
  const { label, value, isDisabled = false, hint, onInput } = props
  const id = useId()
  const { data } = useFetched<Readonly<Record<string, unknown>>>('catalog/services?stale=')
  return (
    <label class="field">
      <span>{label}</span>
      <input
        list={`${id}-services`}
        value={value}
        disabled={isDisabled}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder="a service"
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      {hint !== undefined && <span class="muted">{hint}</span>}
      <datalist id={`${id}-services`}>
        {Object.keys(data ?? {})
          .slice(0, offeredMax)
          .map((name) => (
            <option key={name} value={name} />
          ))}
      </datalist>
    </label>
  )
}
