import type { JSX } from 'preact'
import type { KeyRow } from '../../../client/rows.ts'
import { ApiFault } from '../../data/api.ts'
import { deleteKey } from '../../data/keys.ts'
import type { Right } from '../../data/rights.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { Name } from '../../parts/name.tsx'
import { keepDeleted } from './deleted.ts'

interface DeleteKeyProps {
  readonly entry: KeyRow
  readonly right: Right
  readonly onDeleted: () => void
}

const changedText = 'The key was changed in this moment. Look at it again before you delete it.'

/** Deletes a key, if it still is what the page shows. */
export function DeleteKey({ entry, right, onDeleted }: DeleteKeyProps): JSX.Element {
  const { Key: name, ModifyIndex: index, Session = '' } = entry
  const remove = async (): Promise<void> => {
    if (!(await deleteKey(name, index))) throw new ApiFault(409, changedText)
    keepDeleted(entry)
    onDeleted()
  }
  return (
    <Confirm
      right={right}
      label="Delete…"
      title="Delete this key?"
      verb="Delete"
      onConfirm={remove}
    >
      <p>
        <Name text={name} /> is deleted on all servers.
        {Session !== '' && ' The session that holds its lock loses it.'} You can undo this as long
        as this page is open.
      </p>
    </Confirm>
  )
}
