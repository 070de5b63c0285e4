import type { JSX } from 'preact'
import type { CheckEntry } from '../../../client/rows.ts'
import { deregistration } from '../../core/actions.ts'
import { visibleText } from '../../core/text.ts'
import { usePlace } from '../../data/place.ts'
import { Ask } from './ask.tsx'
import { Maintenance } from './maintenance.tsx'

interface InstanceActionsProps {
  readonly node: string
  readonly id: string
  readonly checks: readonly CheckEntry[]
}

/** What can be done with an instance. */
export function InstanceActions({ node, id, checks }: InstanceActionsProps): JSX.Element | null {
  const place = usePlace(node, id)
  if (place === undefined) return null
  const target = { node, serviceId: id, place }
  const name = visibleText(id)
  return (
    <div class="actions" role="group" aria-label="Actions">
      <Maintenance target={target} checks={checks} />
      <Ask
        label="Deregister…"
        title={`Deregister ${name}?`}
        verb="Deregister"
        isDangerous
        requestOf={() => deregistration(target)}
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
      </Ask>
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
  if (place === undefined) return null
  const target = { node, serviceId: '', place }
  const name = visibleText(node)
  const agent = checks.find(({ CheckID }) => CheckID === 'serfHealth')
  return (
    <div class="actions" role="group" aria-label="Actions">
      <Maintenance target={target} checks={checks} />
      {agent?.Status !== 'passing' && (
        <Ask
          label="Deregister…"
          title={`Deregister ${name}?`}
          verb="Deregister"
          isDangerous
          requestOf={() => deregistration(target)}
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
        </Ask>
      )}
    </div>
  )
}
