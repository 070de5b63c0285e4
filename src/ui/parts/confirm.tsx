import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Right } from '../data/rights.ts'
import { Action } from './action.tsx'
import { ConfirmDialog } from './confirm-dialog.tsx'
import type { ConfirmDialogProps } from './confirm-dialog.tsx'

interface ConfirmProps extends Omit<ConfirmDialogProps, 'onClose'> {
  readonly right: Right
  /** Of the button that opens the dialog: `Delete…`. */
  readonly label: string
}

/** A button that asks once before it does something. Without the right it cannot be pressed, and says why. */
export function Confirm({ label, ...dialog }: ConfirmProps): JSX.Element {
  const [isAsking, setAsking] = useState(false)
  return (
    <>
      <Action right={dialog.right} onClick={() => setAsking(true)}>
        {label}
      </Action>
      {isAsking && <ConfirmDialog {...dialog} onClose={() => setAsking(false)} />}
    </>
  )
}
