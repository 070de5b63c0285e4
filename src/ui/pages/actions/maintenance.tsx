import type { JSX } from 'preact'
import type { CheckEntry } from '../../../client/rows.ts'
import { maintenance, maintenanceId } from '../../core/actions.ts'
import type { Target } from '../../core/actions.ts'
import { visibleText } from '../../core/text.ts'
import { act } from '../../data/api.ts'
import { useDraft } from '../../data/drafts.ts'
import type { Right } from '../../data/rights.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { Field } from '../../parts/field.tsx'

interface MaintenanceProps {
  readonly target: Target
  readonly checks: readonly CheckEntry[]
  readonly right: Right
  readonly toEnd: Right
}

/** Turns the maintenance of an instance or a node on or off. */
export function Maintenance({ target, checks, right, toEnd }: MaintenanceProps): JSX.Element {
  const isOn = checks.some(({ CheckID }) => CheckID === maintenanceId(target))
  return isOn ? <End target={target} right={toEnd} /> : <Start target={target} right={right} />
}

interface StepProps {
  readonly target: Target
  readonly right: Right
}

function Start({ target, right }: StepProps): JSX.Element {
  const { node, serviceId } = target
  const [reason, setReason] = useDraft(`maintenance ${node} ${serviceId}`)
  const name = visibleText(serviceId === '' ? node : serviceId)
  return (
    <Confirm
      right={right}
      label="Start maintenance…"
      title={`Start the maintenance of ${name}?`}
      verb="Start maintenance"
      kind="primary"
      onConfirm={async () => {
        await act(maintenance(target, reason.trim()))
        setReason('')
      }}
    >
      <p>
        {serviceId === '' ? `All instances on ${name} leave` : `${name} leaves`} all DNS answers
        immediately. Clients that cached an answer keep it for its TTL. Everybody who looks at the
        service sees the reason.
      </p>
      <Field
        label="Reason"
        value={reason}
        onChange={setReason}
        placeholder="new disk, back at 14:00"
      />
    </Confirm>
  )
}

function End({ target, right }: StepProps): JSX.Element {
  const { node, serviceId, place } = target
  const name = visibleText(serviceId === '' ? node : serviceId)
  return (
    <Confirm
      right={right}
      label="End maintenance…"
      title={`End the maintenance of ${name}?`}
      verb="End maintenance"
      kind="primary"
      onConfirm={() => act(maintenance(target, undefined))}
    >
      <p>It is in DNS answers again as soon as its other checks allow it.</p>
      {place === 'catalog' && (
        <p>
          If the agent on {visibleText(node)} started the maintenance, end it there:{' '}
          <code>svcd maint -disable{serviceId === '' ? '' : ` -service ${name}`}</code>
        </p>
      )}
    </Confirm>
  )
}
