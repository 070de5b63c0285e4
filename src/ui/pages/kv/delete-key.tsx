import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { KeyRow } from '../../../client/rows.ts'
import { asFault } from '../../data/api.ts'
import { deleteKey } from '../../data/keys.ts'
import type { Right } from '../../data/rights.ts'
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx'
import { Name } from '../../parts/name.tsx'
import { keepDeleted } from './deleted.ts'

interface DeleteKeyProps {
  readonly entry: KeyRow
  readonly right: Right
  readonly onDeleted: () => void
}

/** Deletes a key, if it still is what the page shows. */
export function DeleteKey({ entry, right, onDeleted }: DeleteKeyProps): JSX.Element {
  const { Key: name, ModifyIndex: index, Session = '' } = entry
  const [isAsking, setAsking] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [fault, setFault] = useState<string>()
  const remove = async (): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    try {
      if (await deleteKey(name, index)) {
        keepDeleted(entry)
        setAsking(false)
        onDeleted()
      } else setFault('The key was changed in this moment. Look at it again before you delete it.')
    } catch (error) {
      setFault(asFault(error).message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <button type="button" disabled={!right.isAllowed} onClick={() => setAsking(true)}>
        Delete…
      </button>
      {isAsking && (
        <ConfirmDialog
          title="Delete this key?"
          action="Delete"
          isBusy={isBusy}
          fault={fault}
          onConfirm={() => void remove()}
          onClose={() => setAsking(false)}
        >
          <p>
            <Name text={name} /> is deleted on all servers.
            {Session !== '' && ' The session that holds its lock loses it.'} You can undo this as
            long as this page is open.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
