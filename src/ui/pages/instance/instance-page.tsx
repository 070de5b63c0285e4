import type { JSX } from 'preact'
import type { HealthEntry } from '../../../client/rows.ts'
import { instanceHealth } from '../../core/health.ts'
import { pathTo } from '../../core/route.ts'
import { visibleText } from '../../core/text.ts'
import { useInstances } from '../../data/instances.ts'
import { may } from '../../data/rights.ts'
import { useTimes } from '../../data/times.ts'
import { DeniedNote } from '../../parts/action.tsx'
import { Copy } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, Waiting } from '../../parts/note.tsx'
import { Tags } from '../../parts/tag.tsx'
import { Trail } from '../../parts/trail.tsx'
import { InstanceActions } from '../actions/actions.tsx'
import { addressOf } from '../service/instance-grid.tsx'
import { Checks } from './checks.tsx'

interface InstanceProps {
  readonly service: string
  readonly node: string
  readonly id: string
}

/** One instance: whether it is in answers, its checks with their output, and what it registered. */
export function InstancePage({ service, node, id }: InstanceProps): JSX.Element {
  const { data, fault } = useInstances(service)
  const entry = data?.find(({ Node, Service }) => Node.Node === node && Service.ID === id)
  useTimes(entry?.Checks.map(({ ModifyIndex }) => ModifyIndex) ?? [])
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  if (entry === undefined) return <Gone service={service} id={id} />
  const { health } = instanceHealth(entry)
  return (
    <>
      <header class="page-head">
        <Trail>
          <a href={pathTo('services')}>Services</a>
          <Name text={service} href={pathTo('services', service)} />
        </Trail>
        <h1>
          <Name text={id} />
        </h1>
        <InstanceActions entry={entry} />
        <p class="verdict">
          <Status health={health} />
          <span>{answerText(health)}</span>
        </p>
      </header>
      <DeniedNote right={may('service', 'write', service)} />
      <div class="columns">
        <section class="main">
          <h2>Checks</h2>
          <Checks checks={entry.Checks} />
        </section>
        <section>
          <h2>Registered as</h2>
          <Registered entry={entry} />
        </section>
      </div>
    </>
  )
}

function answerText(health: string): string {
  if (health === 'passing') return 'in DNS answers'
  if (health === 'warning') return 'in DNS answers, with its warning weight'
  return 'not in DNS answers'
}

function Registered({ entry }: { readonly entry: HealthEntry }): JSX.Element {
  const { Node, Service } = entry
  const address = addressOf(entry)
  const meta = Object.entries(Service.Meta)
  return (
    <FactList
      rows={[
        [
          'Address',
          <>
            <Name text={address} /> <Copy text={address} what="the address" />
          </>,
        ],
        ['Node', <Name text={Node.Node} href={pathTo('nodes', Node.Node)} />],
        [
          'Tags',
          Service.Tags.length === 0 ? (
            <span class="muted">none</span>
          ) : (
            <Tags tags={Service.Tags} max={100} />
          ),
        ],
        ['Weight', `${Service.Weights.Passing} passing, ${Service.Weights.Warning} warning`],
        ...meta.map(([key, value]) => [visibleText(key), <Name text={value} />] as const),
      ]}
    />
  )
}

function Gone({ service, id }: { readonly service: string; readonly id: string }): JSX.Element {
  return (
    <Empty isPage title="This instance is not registered">
      <p>
        <Name text={id} /> was deregistered, or the token may not read it. This page shows it as
        soon as it is back.
      </p>
      <p>
        <a href={pathTo('services', service)}>Other instances of the service</a>
      </p>
    </Empty>
  )
}
