import type { ComponentChildren, JSX } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { visibleText } from '../core/text.ts'
import { asFault } from '../data/api.ts'
import type { Right } from '../data/rights.ts'
import { Action } from './action.tsx'

interface ConfirmProps {
  readonly right: Right
  /** Of the button: `Delete…`. */
  readonly label: string
  readonly title: string
  /** What the button in the dialog does, in one or two words. */
  readonly verb: string
  readonly kind?: 'primary' | 'danger'
  /** Does it. When it fails, the dialog stays open and says why. */
  readonly onConfirm: () => Promise<void>
  /** What will happen. */
  readonly children: ComponentChildren
}

/** A button that asks once before it does something. */
export function Confirm(props: ConfirmProps): JSX.Element {
  const { right, label, title, verb, kind = 'danger', onConfirm, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [fault, setFault] = useState('')
  const [isBusy, setBusy] = useState(false)
  const id = useId()
  const confirm = async (): Promise<void> => {
    setBusy(true)
    setFault('')
    try {
      await onConfirm()
      dialog.current?.close()
    } catch (error) {
      setFault(visibleText(asFault(error).message))
    }
    setBusy(false)
  }
  return (
    <>
      <Action
        right={right}
        onClick={() => {
          setFault('')
          dialog.current?.showModal()
        }}
      >
        {label}
      </Action>
      <dialog ref={dialog} class="confirm" aria-labelledby={id}>
        <h2 id={id}>{title}</h2>
        {children}
        {fault !== '' && (
          <p class="said wrong" role="alert">
            {fault}
          </p>
        )}
        <div class="buttons">
          <Action right={right} kind={kind} isBusy={isBusy} onClick={() => void confirm()}>
            {verb}
          </Action>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </dialog>
    </>
  )
}
