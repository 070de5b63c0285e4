import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { bodyOf, commandOf, serviceOf } from '../../core/intentions.ts'
import type { IntentionDraft } from '../../core/intentions.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { asFault } from '../../data/api.ts'
import { may } from '../../data/rights.ts'
import { Command } from '../../parts/copy.tsx'
import { ServiceInput } from './service-input.tsx'

interface IntentionFormProps {
  readonly initial: IntentionDraft
  readonly isNew?: boolean
  /** It was deleted while it was edited. */
  readonly isGone?: boolean
  /** Sends the body. The typed text stays if it fails. */
  readonly onSave: (body: string) => Promise<void>
  /** More actions. */
  readonly children?: ComponentChildren
}

/** The fields of an intention. */
export function IntentionForm(props: IntentionFormProps): JSX.Element {
  const { initial, isNew = false, isGone = false, onSave, children } = props
  const [draft, setDraft] = useState(initial)
  const [fault, setFault] = useState<string | undefined>(undefined)
  const [isBusy, setBusy] = useState(false)
  const right = may('intention', 'write', serviceOf(draft.destination))
  const isNamed = draft.source.trim() !== '' && draft.destination.trim() !== ''
  const isLocked = !right.isAllowed && !isNew
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const made = bodyOf(draft)
    if ('wrong' in made) return setFault(`"${made.wrong}" is not a pair: write key=value.`)
    setBusy(true)
    try {
      await onSave(made.body)
    } catch (error) {
      setFault(asFault(error).message)
      setBusy(false)
    }
  }
  return (
    <form class="form intention" onSubmit={(event) => void save(event)}>
      <Fields draft={draft} isLocked={isLocked} onChange={setDraft} />
      {!right.isAllowed && isNamed && (
        <p class="field-fault" role="status">
          {visibleText(right.reason)}
        </p>
      )}
      {fault !== undefined && (
        <p class="field-fault" role="alert">
          {visibleText(fault)}
        </p>
      )}
      <div class="actions">
        <button
          type="submit"
          class="primary"
          disabled={!right.isAllowed || !isNamed || isBusy || isGone}
        >
          {isNew ? 'Create' : 'Save'}
        </button>
        <a class="button" href={pathTo('intentions')}>
          Cancel
        </a>
        {children}
      </div>
      {isNamed && <Command text={commandOf(draft)} />}
    </form>
  )
}

interface FieldsProps {
  readonly draft: IntentionDraft
  readonly isLocked: boolean
  readonly onChange: (draft: IntentionDraft) => void
}

function Fields({ draft, isLocked, onChange }: FieldsProps): JSX.Element {
  const set = (change: Partial<IntentionDraft>): void => onChange({ ...draft, ...change })
  return (
    <>
      <div class="pair">
        <ServiceInput
          label="Source"
          hint="The service that calls, or * for all"
          value={draft.source}
          isDisabled={isLocked}
          onInput={(source) => set({ source })}
        />
        <ServiceInput
          label="Destination"
          hint="The service that is called, or * for all"
          value={draft.destination}
          isDisabled={isLocked}
          onInput={(destination) => set({ destination })}
        />
      </div>
      <ActionChoice
        value={draft.action}
        isDisabled={isLocked}
        onChange={(action) => set({ action })}
      />
      <label class="field">
        <span>Description</span>
        <input
          class="wide"
          value={draft.description}
          disabled={isLocked}
          onInput={({ currentTarget }) => set({ description: currentTarget.value })}
        />
      </label>
      <label class="field">
        <span>Metadata, one key=value per line</span>
        <textarea
          rows={3}
          value={draft.meta}
          disabled={isLocked}
          spellcheck={false}
          onInput={({ currentTarget }) => set({ meta: currentTarget.value })}
        />
      </label>
    </>
  )
}

interface ActionChoiceProps {
  readonly value: string
  readonly isDisabled: boolean
  readonly onChange: (action: string) => void
}

function ActionChoice({ value, isDisabled, onChange }: ActionChoiceProps): JSX.Element {
  return (
    <fieldset class="choice" disabled={isDisabled}>
      <legend>The source</legend>
      <div class="segments">
        {[
          ['allow', 'may call the destination'],
          ['deny', 'may not call it'],
        ].map(([action = '', text]) => (
          <label key={action}>
            <input
              type="radio"
              name="action"
              checked={action === value}
              onChange={() => onChange(action)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
