import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { isLostToken } from '../../core/lost-token.ts'
import { visibleText } from '../../core/text.ts'
import { asFault } from '../../data/api.ts'
import type { ApiFault } from '../../data/api.ts'
import { isTokenLost } from '../../data/preferences.ts'
import { may } from '../../data/rights.ts'
import { Action, DeniedNote } from '../../parts/action.tsx'

interface AccessFormProps {
  readonly label: string
  /** Of the button that sends it. */
  readonly verb: string
  readonly cancelHref: string
  /** Sends it. */
  readonly onSave: () => Promise<void>
  /** Whether a field shows the fault itself. */
  readonly isShown?: (fault: ApiFault) => boolean
  readonly onFault?: (fault: ApiFault | undefined) => void
  readonly children: ComponentChildren
}

/** A form whose content stays until the agent has accepted it. */
export function AccessForm(props: AccessFormProps): JSX.Element {
  const { label, verb, cancelHref, onSave, isShown, onFault, children } = props
  const [fault, setFault] = useState<ApiFault>()
  const [isBusy, setBusy] = useState(false)
  const isLost = isTokenLost.value
  const right = may('acl', 'write')
  const save = async (): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    onFault?.(undefined)
    try {
      await onSave()
    } catch (error) {
      setFault(asFault(error))
      onFault?.(asFault(error))
    }
    setBusy(false)
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    if (right.isAllowed && !isBusy) void save()
  }
  const isOwn = fault !== undefined && isShown?.(fault) !== true && !isLostToken(fault.message)
  return (
    <>
      {!isLost && <DeniedNote right={right} />}
      <form class="form wide" aria-label={label} onSubmit={submit}>
        {children}
        {isOwn && (
          <p class="said wrong" role="alert">
            {visibleText(fault.message)}
          </p>
        )}
        {isLost && (
          <p class="said wrong" role="alert">
            Nothing was saved. Enter another token above, then press “{verb}” again.
          </p>
        )}
        <div class="buttons">
          <Action right={right} type="submit" kind="primary" isBusy={isBusy}>
            {verb}
          </Action>
          <a class="button" href={cancelHref}>
            Cancel
          </a>
        </div>
      </form>
    </>
  )
}
