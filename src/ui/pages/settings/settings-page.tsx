import type { ComponentChildren, JSX } from 'preact'
import { density, isUtc, theme } from '../../data/preferences.ts'
import type { Density, Theme } from '../../data/preferences.ts'
import { TokenForm } from './token-form.tsx'

/** What the reader prefers, and the token. */
export function SettingsPage(): JSX.Element {
  return (
    <>
      <header class="page-head">
        <h1>Settings</h1>
      </header>
      <div class="form">
        <TokenForm />
        <Choice<Theme>
          legend="Theme"
          name="theme"
          value={theme.value}
          onChange={(value) => (theme.value = value)}
          rows={[
            ['system', 'As the system'],
            ['light', 'Light'],
            ['dark', 'Dark'],
          ]}
        />
        <Choice<Density>
          legend="Density of tables"
          name="density"
          value={density.value}
          onChange={(value) => (density.value = value)}
          rows={[
            ['normal', 'Normal'],
            ['compact', 'Compact'],
          ]}
        />
        <Choice<'local' | 'utc'>
          legend="Times"
          name="times"
          value={isUtc.value ? 'utc' : 'local'}
          onChange={(value) => (isUtc.value = value === 'utc')}
          rows={[
            ['local', 'In your time zone'],
            ['utc', 'UTC'],
          ]}
        />
        <p class="muted">
          This browser keeps these settings. The token is kept until you close the tab.
        </p>
      </div>
    </>
  )
}

interface ChoiceProps<Value extends string> {
  readonly legend: ComponentChildren
  readonly name: string
  readonly value: Value
  readonly rows: readonly (readonly [Value, string])[]
  readonly onChange: (value: Value) => void
}

function Choice<Value extends string>({
  legend,
  name,
  value,
  rows,
  onChange,
}: ChoiceProps<Value>): JSX.Element {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div class="segments">
        {rows.map(([id, title]) => (
          <label key={id}>
            <input type="radio" name={name} checked={id === value} onChange={() => onChange(id)} />
            <span>{title}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
