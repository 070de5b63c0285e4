import type { JSX } from 'preact'
import { maintenance, maintenanceId } from '../../core/actions.ts'
import type { Target } from '../../core/actions.ts'
import { visibleText } from '../../core/text.ts'
import type { CheckEntry } from '../../../client/rows.ts'
import { Ask } from './ask.tsx'

interface MaintenanceProps {
  readonly target: Target
  readonly checks: readonly CheckEntry[]
}

/** Turns the maintenance of an instance or a node on or off. */
export function Maintenance({ target, checks }: MaintenanceProps): JSX.Element {
  const { node, serviceId } = target
  const name = visibleText(serviceId === '' ? node : serviceId)
  const isOn = checks.some(({ CheckID }) => CheckID === maintenanceId(target))
  const what = serviceId === '' ? `All instances on ${name}` : name
  const verb = serviceId === '' ? 'leave' : 'leaves'
  if (isOn) {
    return (
      <Ask
        label="End maintenance…"
        title={`End the maintenance of ${name}?`}
        verb="End maintenance"
        requestOf={() => maintenance(target, undefined)}
      >
        <p>It is in DNS answers again as soon as its other checks allow it.</p>
        {target.place === 'catalog' && (
          <p>
            If the agent on {visibleText(node)} started the maintenance, end it there:{' '}
            <code>svcd maint -disable{serviceId === '' ? '' : ` -service ${name}`}</code>
          </p>
        )}
      </Ask>
    )
  }
  return (
    <Ask
      label="Start maintenance…"
      title={`Start the maintenance of ${name}?`}
      verb="Start maintenance"
      draft={`maintenance ${node} ${serviceId}`}
      requestOf={(reason) => maintenance(target, reason)}
    >
      <p>
        {what} {verb} all DNS answers immediately. Clients that cached an answer keep it for its
        TTL. Everybody who looks at the service sees the reason.
      </p>
    </Ask>
  )
}
