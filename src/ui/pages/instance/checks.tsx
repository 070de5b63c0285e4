import type { JSX } from 'preact'
import type { CheckEntry } from '../../../client/rows.ts'
import { healthRank, statusOf } from '../../core/health.ts'
import type { Health } from '../../core/health.ts'
import { sorted } from '../../core/sort.ts'
import { visibleText } from '../../core/text.ts'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Since } from '../../parts/since.tsx'

/** Checks with their output, the failing ones first. */
export function Checks({ checks }: { readonly checks: readonly CheckEntry[] }): JSX.Element {
  if (checks.length === 0) {
    return <p class="muted">There are no checks, so it counts as passing.</p>
  }
  return (
    <ul class="checks">
      {sorted(checks, (check) => healthRank[healthOf(check)], false).map((check) => (
        <CheckItem key={check.CheckID} check={check} />
      ))}
    </ul>
  )
}

function CheckItem({ check }: { readonly check: CheckEntry }): JSX.Element {
  const health = healthOf(check)
  const output = visibleText(check.Output).trim()
  const kind = [check.Type, /^(?:0s)?$/.test(check.Interval) ? '' : `every ${check.Interval}`]
    .filter((text) => text !== '')
    .join(', ')
  return (
    <li class={`check ${health}`}>
      <div class="check-head">
        <Status health={health} />
        <strong>
          <Name text={check.Name === '' ? check.CheckID : check.Name} />
        </strong>
        <span class="muted">
          {check.ServiceID === '' ? 'check of the node' : 'check of the instance'}
        </span>
        {kind !== '' && <span class="muted">{kind}</span>}
        <Since index={check.ModifyIndex} />
      </div>
      {check.Notes !== '' && <p class="muted">{visibleText(check.Notes)}</p>}
      {output !== '' && (
        <pre tabIndex={0} aria-label={`Output of ${visibleText(check.CheckID)}`}>
          {output}
        </pre>
      )}
    </li>
  )
}

/** A maintenance check counts as maintenance, whatever its status. */
function healthOf({ CheckID, Status: text }: CheckEntry): Health {
  const isMaintenance =
    CheckID === '_node_maintenance' || CheckID.startsWith('_service_maintenance:')
  return isMaintenance ? 'maintenance' : statusOf(text)
}
