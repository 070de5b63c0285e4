import type { JSX } from 'preact'
import { leavingTo, unsaved } from '../data/leaving.ts'
import { navigate } from '../data/location.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'

/** Asks before the reader leaves a page with unsaved text. */
export function Leave(): JSX.Element | null {
  const to = leavingTo.value
  const what = unsaved.value
  if (to === undefined || what === undefined) return null
  const leave = (): Promise<void> => {
    unsaved.value = undefined
    leavingTo.value = undefined
    navigate(to)
    return Promise.resolve()
  }
  return (
    <ConfirmDialog
      title="Leave without saving?"
      verb="Leave"
      cancel="Stay here"
      kind="primary"
      onConfirm={leave}
      onClose={stay}
    >
      <p>
        {what} is not saved. This tab keeps it until you close it: open the page again to continue.
      </p>
    </ConfirmDialog>
  )
}

function stay(): void {
  leavingTo.value = undefined
}
