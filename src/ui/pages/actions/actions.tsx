import type { JSX } from 'preact'
import type { CheckEntry, HealthEntry } from '../../../client/rows.ts'
import { deregistration } from '../../core/actions.ts'
import { visibleText } from '../../core/text.ts'
import { act } from '../../data/api.ts'
import { usePlace } from '../../data/place.ts'
import { may } from '../../data/rights.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { Maintenance } from './maintenance.tsx'

/** What can be done with an instance. */
export function InstanceActions({ entry }: { readonly entry: HealthEntry }): JSX.Element | null {
  const { Service, Checks } = entry
  const { Node: node } = entry.Node
  const id = Service.ID
  const place = usePlace(node, id)
  const right = may('service', 'write', Service.Service)
  const ofNode = may('node', 'write', node)
  if (place === undefined) return null
  const target = { node, serviceId: id, place }
  // Who may write a node may remove everything from it.
  const toRemove = place === 'catalog' && ofNode.isAllowed ? ofNode : right
  const name = visibleText(id)
  return (
    <div class="actions" role="group" aria-label="Actions">
      <Maintenance target={target} checks={Checks} right={right} toEnd={toRemove} />
      <Confirm
        right={toRemove}
        label="Deregister…"
        title={`Deregister ${name}?`}
        verb="Deregister"
        onConfirm={() => act(deregistration(target))}
      >
        <p>
          {name} leaves the catalog and all DNS answers immediately, with its checks. Clients that
          cached an answer keep it for its TTL.
        </p>
        {place === 'catalog' && (
          <p>
            If the agent on {visibleText(node)} registered it, that agent registers it again within
            a minute. Then deregister it there: <code>svcd deregister {name}</code>
          </p>
        )}
      </Confirm>
    </div>
  )
}

interface NodeActionsProps {
  readonly node: string
  readonly checks: readonly CheckEntry[]
  /** How many instances are on it. */
  readonly instances: number
}

/** What can be done with a node. A node whose agent runs would come back, so it cannot be deregistered. */
export function NodeActions({ node, checks, instances }: NodeActionsProps): JSX.Element | null {
  const place = usePlace(node, '')
  const right = may('node', 'write', node)
  if (place === undefined) return null
  const target = { node, serviceId: '', place }
  const name = visibleText(node)
  const agent = checks.find(({ CheckID }) => CheckID === 'serfHealth')
  return (
    <div class="actions" role="group" aria-label="Actions">
      <Maintenance target={target} checks={checks} right={right} toEnd={right} />
      {agent?.Status !== 'passing' && (
        <Confirm
          right={right}
          label="Deregister…"
          title={`Deregister ${name}?`}
          verb="Deregister"
          onConfirm={() => act(deregistration(target))}
        >
          <p>
            {name} leaves the catalog, with its checks and the {instances} instances on it. They
            leave all DNS answers immediately.
          </p>
          {agent !== undefined && (
            <p>
              If it is a server of the cluster, remove it with <code>svcd force-leave {name}</code>{' '}
              instead.
            </p>
          )}
        </Confirm>
      )}
    </div>
  )
}
