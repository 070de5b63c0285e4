import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { visibleText } from '../core/text.ts'

interface ConfirmProps {
  readonly title: string
  /** What happens. */
  readonly children: ComponentChildren
  /** The text of the button that does it. */
  readonly action: string
  readonly isDangerous?: boolean
  readonly isBusy?: boolean
  /** Why it failed, if it did. */
  readonly fault?: string | undefined
  readonly cancel?: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/** Asks once before something is done. The focus is on the harmless button. */
export function Confirm({
  title,
  children,
  action,
  isDangerous = true,
  isBusy = false,
  fault,
  cancel = 'Cancel',
  onConfirm,
  onClose,
}: ConfirmProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{title}</h2>
      <div class="consequence">{children}</div>
      {fault !== undefined && (
        <p class="field-fault" role="alert">
          {visibleText(fault)}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {cancel}
        </button>
        <button
          type="button"
          class={isDangerous ? 'danger' : 'primary'}
          disabled={isBusy}
          onClick={onConfirm}
        >
          {action}
        </button>
      </div>
    </dialog>
  )
}
