import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { CheckEntry, HealthEntry, NodeEntry, ServiceEntry } from '../../../client/rows.ts'
import { healthRank, instanceHealth } from '../../core/health.ts'
import { reasonText } from '../../core/reason-text.ts'
import { pathTo } from '../../core/route.ts'
import { sorted } from '../../core/sort.ts'
import { counted, visibleText } from '../../core/text.ts'
import { apiPath } from '../../data/api.ts'
import { useLive } from '../../data/live.ts'
import { may } from '../../data/rights.ts'
import { useTimes } from '../../data/times.ts'
import { DeniedNote } from '../../parts/action.tsx'
import { Copy } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Status } from '../../parts/mark.tsx'
import { Name } from '../../parts/name.tsx'
import { Empty, Fault, FilteredNote, Waiting } from '../../parts/note.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { Trail } from '../../parts/trail.tsx'
import { NodeActions } from '../actions/actions.tsx'
import { Checks } from '../instance/checks.tsx'
import { InstanceGrid } from '../service/instance-grid.tsx'
import type { InstanceRow } from '../service/instance-grid.tsx'

interface NodeAnswer {
  readonly Node: NodeEntry
  readonly Services: Readonly<Record<string, ServiceEntry>>
  readonly Checks: readonly CheckEntry[]
}

/** One node: its own checks, what runs on it, and what it registered. */
export function NodePage({ node }: { readonly node: string }): JSX.Element {
  const live = useLive<NodeAnswer | null>(apiPath('watch/node/', node, { checks: '' }))
  const { data, fault, isFiltered } = live
  const rows = useMemo(() => rowsOf(data ?? undefined), [data])
  useTimes((data?.Checks ?? []).slice(0, 400).map(({ ModifyIndex }) => ModifyIndex))
  if (fault !== undefined) return <Fault fault={fault} />
  if (data === undefined) return <Waiting />
  if (data === null) return <UnknownNode node={node} />
  const own = data.Checks.filter(({ ServiceID }) => ServiceID === '')
  return (
    <>
      <NodeHead node={data.Node} own={own} rows={rows} />
      <DeniedNote right={may('node', 'write', data.Node.Node)} />
      <FilteredNote isFiltered={isFiltered} />
      <Tabs
        label={`About ${node}`}
        rows={[
          { id: 'instances', title: 'Instances', content: () => <Instances rows={rows} /> },
          { id: 'checks', title: 'Checks of the node', content: () => <Checks checks={own} /> },
          {
            id: 'facts',
            title: 'Address & metadata',
            content: () => <Registered node={data.Node} />,
          },
        ]}
      />
    </>
  )
}

function rowsOf(answer: NodeAnswer | undefined): readonly InstanceRow[] {
  if (answer === undefined) return []
  const byService = new Map<string, CheckEntry[]>()
  for (const check of answer.Checks) {
    const known = byService.get(check.ServiceID)
    if (known === undefined) byService.set(check.ServiceID, [check])
    else known.push(check)
  }
  const rows = Object.values(answer.Services).map((Service): InstanceRow => {
    const Checks = [...(byService.get(Service.ID) ?? []), ...(byService.get('') ?? [])]
    const entry: HealthEntry = { Node: answer.Node, Service, Checks }
    return { entry, ...instanceHealth(entry) }
  })
  return sorted(rows, ({ health }) => healthRank[health], false)
}

interface HeadProps {
  readonly node: NodeEntry
  readonly own: readonly CheckEntry[]
  readonly rows: readonly InstanceRow[]
}

function NodeHead({ node, own, rows }: HeadProps): JSX.Element {
  const Weights = { Passing: 1, Warning: 1 }
  const Service = { ID: '', Service: '', Tags: [], Address: '', Port: 0, Meta: {}, Weights }
  const { health, check } = instanceHealth({ Service, Checks: own })
  const passing = rows.filter((row) => row.health === 'passing').length
  return (
    <header class="page-head">
      <Trail>
        <a href={pathTo('nodes')}>Nodes</a>
      </Trail>
      <h1>
        <Name text={node.Node} />
      </h1>
      <NodeActions node={node.Node} checks={own} instances={rows.length} />
      <p class="verdict">
        <Status health={health} />
        <span>
          {passing} of {counted(rows.length, 'instance')} passing
        </span>
        <Name text={node.Address} />
        {check !== undefined && (
          <span class="because">{reasonText(check.Output || check.Notes, check.Name)}</span>
        )}
      </p>
    </header>
  )
}

function Instances({ rows }: { readonly rows: readonly InstanceRow[] }): JSX.Element {
  if (rows.length === 0) {
    return (
      <Empty title="Nothing runs on this node">
        <p>
          Services appear here when they are registered with its agent, or in the catalog under its
          name.
        </p>
      </Empty>
    )
  }
  return <InstanceGrid rows={rows} withService />
}

function Registered({ node }: { readonly node: NodeEntry }): JSX.Element {
  const tagged = Object.entries(node.TaggedAddresses)
  const meta = Object.entries(node.Meta)
  return (
    <FactList
      rows={[
        [
          'Address',
          <>
            <Name text={node.Address} /> <Copy text={node.Address} what="the address" />
          </>,
        ],
        ['ID', node.ID === '' ? undefined : <Name text={node.ID} />],
        ...tagged.map(
          ([name, address]) => [`Address ${visibleText(name)}`, <Name text={address} />] as const,
        ),
        ...meta.map(([key, value]) => [visibleText(key), <Name text={value} />] as const),
      ]}
    />
  )
}

function UnknownNode({ node }: { readonly node: string }): JSX.Element {
  return (
    <Empty isPage title="This node is not in the catalog">
      <p>
        <Name text={node} /> is not registered, or the token may not read it.
      </p>
      <p>
        <a href={pathTo('nodes')}>Show all nodes</a>
      </p>
    </Empty>
  )
}
