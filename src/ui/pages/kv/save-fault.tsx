import type { JSX } from 'preact'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import type { ApiFault } from '../../data/api.ts'

/** Why the agent did not save something, and that the text is not lost. */
export function SaveFault({ fault }: { readonly fault: ApiFault | undefined }): JSX.Element | null {
  if (fault === undefined) return null
  return (
    <div class="field-fault" role="alert">
      <p>{visibleText(fault.message)}</p>
      <p>
        Nothing was lost: what you typed stays here.{' '}
        {fault.status === 403 && <a href={pathTo('settings')}>Change the token</a>}
      </p>
    </div>
  )
}
