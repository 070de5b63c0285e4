import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { HealthEntry } from '../../../client/rows.ts'
import { healthRank, instanceHealth } from '../../core/health.ts'
import type { Health } from '../../core/health.ts'
import { reasonText } from '../../core/reason-text.ts'
import { pathTo } from '../../core/route.ts'
import { sorted } from '../../core/sort.ts'
import { counted } from '../../core/text.ts'
import { useInstances } from '../../data/instances.ts'
import { useTimes } from '../../data/times.ts'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { Since } from '../../parts/since.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { Trail } from '../../parts/trail.tsx'
import { DnsAnswers } from './dns-answers.tsx'
import { HealthHistoryTab } from './health-history.tsx'
import { InstanceGrid } from './instance-grid.tsx'
import type { InstanceRow } from './instance-grid.tsx'
import { Usage } from './usage.tsx'
import { TagsAndMeta } from './tags-and-meta.tsx'

/** One service: why it is as it is, its instances, and what DNS answers. */
export function ServicePage({ service }: { readonly service: string }): JSX.Element {
  const { data, fault, isFiltered } = useInstances(service)
  const rows = useMemo(() => rowsOf(data ?? []), [data])
  useTimes(rows.map(({ check }) => check?.ModifyIndex ?? 0))
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  if (rows.length === 0) return <NoInstances service={service} />
  return (
    <>
      <ServiceHead service={service} rows={rows} />
      <FilteredNote isFiltered={isFiltered} />
      <Tabs
        label={`About ${service}`}
        rows={[
          {
            id: 'instances',
            title: 'Instances',
            content: () => <InstanceGrid service={service} rows={rows} />,
          },
          {
            id: 'dns',
            title: 'DNS answer',
            content: () => <DnsAnswers service={service} version={data} />,
          },
          { id: 'use', title: 'Use it', content: () => <Usage service={service} /> },
          {
            id: 'history',
            title: 'Last hour',
            content: () => <HealthHistoryTab service={service} />,
          },
          { id: 'tags', title: 'Tags & metadata', content: () => <TagsAndMeta entries={data} /> },
        ]}
      />
    </>
  )
}

function rowsOf(entries: readonly HealthEntry[]): readonly InstanceRow[] {
  const rows = entries.map((entry) => ({ entry, ...instanceHealth(entry) }))
  return sorted(rows, ({ health }) => healthRank[health], false)
}

/** The state of the service in one line, with since when and why. */
function ServiceHead({
  service,
  rows,
}: {
  readonly service: string
  readonly rows: readonly InstanceRow[]
}): JSX.Element {
  const [worst] = rows
  const health: Health = worst?.health ?? 'unknown'
  const passing = rows.filter((row) => row.health === 'passing').length
  const check = worst?.check
  return (
    <header class="page-head">
      <Trail>
        <a href={pathTo('services')}>Services</a>
      </Trail>
      <h1>
        <Name text={service} />
      </h1>
      <p class="verdict">
        <Status health={health} />
        <span>
          {passing} of {counted(rows.length, 'instance')} passing
        </span>
        {check !== undefined && health !== 'passing' && (
          <span class="because">
            <Since index={check.ModifyIndex} />{' '}
            {reasonText(check.Output || check.Notes, check.Name)}
          </span>
        )}
      </p>
    </header>
  )
}

function NoInstances({ service }: { readonly service: string }): JSX.Element {
  return (
    <Empty isPage title="This service has no instances">
      <p>
        <Name text={service} /> is not registered, or the token may not read it. This page shows it
        as soon as it is.
      </p>
      <p>
        <a href={pathTo('services')}>Show all services</a>
      </p>
    </Empty>
  )
}
