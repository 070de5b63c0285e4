import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { visibleText } from '../core/text.ts'
import { useAttempt } from '../data/attempt.ts'
import { granted } from '../data/rights.ts'
import type { Right } from '../data/rights.ts'
import { Action } from './action.tsx'

export interface ConfirmDialogProps {
  readonly title: string
  /** What will happen. */
  readonly children: ComponentChildren
  /** What the button does, in one or two words. */
  readonly verb: string
  readonly kind?: 'primary' | 'danger'
  readonly cancel?: string
  readonly right?: Right
  /** Does it. When it fails, the dialog stays open and says why. */
  readonly onConfirm: () => Promise<void>
  /** The dialog was closed: its owner takes it away. */
  readonly onClose: () => void
}

/** A dialog that asks once before something is done. Its owner opens it. The focus is on the harmless button. */
export function ConfirmDialog(props: ConfirmDialogProps): JSX.Element {
  const { title, children, verb, kind = 'danger', cancel = 'Cancel', right = granted } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const { isBusy, fault, run } = useAttempt()
  const id = useId()
  useEffect(() => dialog.current?.showModal(), [])
  const close = (): void => dialog.current?.close()
  const confirm = async (): Promise<void> => {
    if (right.isAllowed && !isBusy && (await run(props.onConfirm))) close()
  }
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby={id} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          // The dialog can be in a form, which must not be sent with it.
          event.stopPropagation()
          void confirm()
        }}
      >
        <h2 id={id}>{title}</h2>
        <div class="consequence">{children}</div>
        {fault !== undefined && (
          <p class="field-fault" role="alert">
            {visibleText(fault.message)}
          </p>
        )}
        <div class="actions">
          <button type="button" onClick={close}>
            {cancel}
          </button>
          <Action right={right} type="submit" kind={kind} isBusy={isBusy}>
            {verb}
          </Action>
        </div>
      </form>
    </dialog>
  )
}
