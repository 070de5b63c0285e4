import type { ComponentChildren, JSX } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import type { ActionRequest } from '../../core/actions.ts'
import { visibleText } from '../../core/text.ts'
import { asFault, send } from '../../data/api.ts'
import { useDraft } from '../../data/drafts.ts'

interface AskProps {
  /** Of the button that opens the dialog. */
  readonly label: string
  readonly title: string
  /** Of the button that does it. */
  readonly verb: string
  readonly isDangerous?: boolean
  /** The name of the draft, if a reason is asked for. */
  readonly draft?: string
  readonly requestOf: (reason: string) => ActionRequest
  /** What will happen. */
  readonly children: ComponentChildren
}

/** A button that says what will happen and asks once. When it fails, the dialog stays, with all that was typed. */
export function Ask(props: AskProps): JSX.Element {
  const { label, title, verb, isDangerous = false, draft, requestOf, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [reason, setReason] = useDraft(draft ?? '')
  const [fault, setFault] = useState('')
  const [isBusy, setBusy] = useState(false)
  const id = useId()
  const act = async (): Promise<void> => {
    setBusy(true)
    setFault('')
    try {
      const { path, ...change } = requestOf(reason.trim())
      await send(path, undefined, change)
      dialog.current?.close()
      if (draft !== undefined) setReason('')
    } catch (error) {
      setFault(visibleText(asFault(error).message))
    }
    setBusy(false)
  }
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} class="ask" aria-labelledby={id} onClose={() => setFault('')}>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void act()
          }}
        >
          <h2 id={id}>{title}</h2>
          {children}
          {draft !== undefined && <Reason value={reason} onChange={setReason} />}
          {fault !== '' && (
            <p class="said" role="alert">
              {fault}
            </p>
          )}
          <p class="ask-buttons">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" class={isDangerous ? 'danger' : 'primary'} disabled={isBusy}>
              {verb}
            </button>
          </p>
        </form>
      </dialog>
    </>
  )
}

interface ReasonProps {
  readonly value: string
  readonly onChange: (value: string) => void
}

function Reason({ value, onChange }: ReasonProps): JSX.Element {
  return (
    <label>
      <span>Reason</span>
      <input
        type="text"
        autocomplete="off"
        placeholder="new disk, back at 14:00"
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  )
}
