import type { JSX } from 'preact'
import { indentedJson } from '../../core/json.ts'
import { bytesOfTyped, flagsFault, formatOf, sizeText, typedOf } from '../../core/value.ts'
import type { Format } from '../../core/value.ts'
import type { Draft } from './drafts.ts'

interface ValueFieldsProps {
  readonly draft: Draft
  readonly onChange: (draft: Draft) => void
}

const formats: readonly (readonly [Format, string])[] = [
  ['text', 'Text'],
  ['json', 'JSON'],
  ['base64', 'Base64'],
]

/** The fields for a value and its flags. */
export function ValueFields({ draft, onChange }: ValueFieldsProps): JSX.Element {
  const { format, text, flags } = draft
  const typed = bytesOfTyped(text, format)
  const wrongFlags = flagsFault(flags)
  return (
    <>
      <div class="value">
        <div class="value-bar">
          <FormatChoice draft={draft} onChange={onChange} />
          {format === 'json' && typed.kind === 'bytes' && (
            <button type="button" onClick={() => onChange({ ...draft, text: indentedJson(text) })}>
              Format
            </button>
          )}
        </div>
        <textarea
          aria-label="Value"
          aria-describedby="value-state"
          aria-invalid={typed.kind === 'fault'}
          spellcheck={false}
          autocapitalize="off"
          rows={Math.min(24, Math.max(8, text.split('\n').length + 1))}
          value={text}
          onInput={({ currentTarget }) => onChange({ ...draft, text: currentTarget.value })}
        />
        <p id="value-state" class={typed.kind === 'fault' ? 'field-fault' : 'muted'} role="status">
          {typed.kind === 'fault' ? typed.text : `${sizeText(typed.bytes.length)} of 512 KiB`}
        </p>
      </div>
      <label class="field">
        <span>Flags, a number for programs</span>
        <input
          type="text"
          inputMode="numeric"
          autocomplete="off"
          value={flags}
          aria-invalid={wrongFlags !== undefined}
          onInput={({ currentTarget }) => onChange({ ...draft, flags: currentTarget.value.trim() })}
        />
        {wrongFlags !== undefined && <span class="field-fault">{wrongFlags}</span>}
      </label>
    </>
  )
}

/** Another format shows the same bytes, if it can: binary data stays base64. */
function FormatChoice({ draft, onChange }: ValueFieldsProps): JSX.Element {
  const typed = bytesOfTyped(draft.text, draft.format === 'json' ? 'text' : draft.format)
  const isText = typed.kind === 'bytes' && formatOf(typed.bytes) !== 'base64'
  const change = (format: Format): void => {
    if (typed.kind === 'fault') return
    onChange({ ...draft, format, text: typedOf(typed.bytes, format) })
  }
  return (
    <div class="segments" role="group" aria-label="Format">
      {formats.map(([id, title]) => (
        <label key={id}>
          <input
            type="radio"
            name="format"
            checked={id === draft.format}
            disabled={id !== draft.format && !isText && typed.kind === 'bytes' && id !== 'base64'}
            onChange={() => change(id)}
          />
          <span>{title}</span>
        </label>
      ))}
    </div>
  )
}
