import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { EventEntry } from '../../../client/rows.ts'
import { withParameters } from '../../core/route.ts'
import { visibleText, wellFormed } from '../../core/text.ts'
import { send } from '../../data/api.ts'
import { useAttempt } from '../../data/attempt.ts'
import { useUnsaved } from '../../data/leaving.ts'
import type { Right } from '../../data/rights.ts'

const empty = { name: '', payload: '', node: '', service: '', tag: '' }
type Field = keyof typeof empty

/** The tab keeps typed text until it is sent. */
let kept = empty

/** Fires an event. */
export function FireForm({ right }: { readonly right: Right }): JSX.Element {
  const [typed, setTyped] = useState(kept)
  const [fired, setFired] = useState<EventEntry>()
  const { isBusy, fault, run } = useAttempt()
  const isTyped = Object.values(typed).some((text) => text !== '')
  useUnsaved(isTyped ? 'The event' : undefined)
  const change = (next: typeof empty): void => {
    kept = next
    setTyped(next)
  }
  const fire = async (event: Event): Promise<void> => {
    event.preventDefault()
    setFired(undefined)
    const isDone = await run(async () => setFired(await fireEvent(typed)))
    if (isDone) change(empty)
  }
  const field = (id: Field, title: string, placeholder: string): JSX.Element => (
    <TextField
      title={title}
      placeholder={placeholder}
      value={typed[id]}
      onInput={(text) => change({ ...typed, [id]: text })}
    />
  )
  return (
    <form class="fire" onSubmit={(event) => void fire(event)}>
      <h2>Fire an event</h2>
      {field('name', 'Name', 'deploy')}
      <label class="field">
        <span>Payload, at most 4 KiB</span>
        <textarea
          rows={3}
          spellcheck={false}
          value={typed.payload}
          onInput={({ currentTarget }) => change({ ...typed, payload: currentTarget.value })}
        />
      </label>
      <details open={typed.node + typed.service + typed.tag !== ''}>
        <summary>Only for some agents</summary>
        <div class="filters">
          {field('node', 'Nodes whose name matches', '^web-host-')}
          {field('service', 'Agents with a service whose name matches', '^web$')}
          {field('tag', 'and a tag that matches', '^v2$')}
          <p class="muted">
            Regular expressions. They match a part of a name: write ^ and $ for the whole.
          </p>
        </div>
      </details>
      {fault !== undefined && (
        <p class="field-fault" role="alert">
          {visibleText(fault.message)}
        </p>
      )}
      {!right.isAllowed && <p class="muted">You cannot fire all events. {right.reason}</p>}
      <div class="actions">
        <button type="submit" class="primary" disabled={isBusy || typed.name === ''}>
          Fire
        </button>
        <span class="muted" role="status">
          {fired === undefined ? '' : `Fired ${visibleText(fired.Name)}, number ${fired.LTime}`}
        </span>
      </div>
    </form>
  )
}

interface TextFieldProps {
  readonly title: string
  readonly placeholder: string
  readonly value: string
  readonly onInput: (text: string) => void
}

function TextField({ title, placeholder, value, onInput }: TextFieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{title}</span>
      <input
        type="text"
        class="wide"
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        value={value}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
    </label>
  )
}

async function fireEvent(typed: typeof empty): Promise<EventEntry> {
  const { name, payload, ...filters } = typed
  const path = `event/fire/${encodeURIComponent(wellFormed(name))}`
  const answer = await send(withParameters(path, filters), undefined, {
    method: 'PUT',
    body: payload,
  })
  return (await answer.json()) as EventEntry
}
