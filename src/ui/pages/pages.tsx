import { matchPath } from '../core/route.ts'
import type { PathValues } from '../core/route.ts'
import { lazy } from '../parts/lazy.tsx'
import { accessPages } from './access/access-pages.tsx'
import { ClusterPage } from './cluster/cluster-page.tsx'
import { InstancePage } from './instance/instance-page.tsx'
import { NodePage } from './node/node-page.tsx'
import { NodesPage } from './nodes/nodes-page.tsx'
import { OverviewPage } from './overview/overview-page.tsx'
import type { Page } from './page.ts'
import { ServicePage } from './service/service-page.tsx'
import { ServicesPage } from './services/services-page.tsx'
import { SettingsPage } from './settings/settings-page.tsx'

const IntentionsPage = lazy(async () => (await import('./later.ts')).later.IntentionsPage)
const NewIntentionPage = lazy(async () => (await import('./later.ts')).later.NewIntentionPage)
const IntentionPage = lazy(async () => (await import('./later.ts')).later.IntentionPage)
const KvPage = lazy(async () => (await import('./later.ts')).later.KvPage)
const SessionsPage = lazy(async () => (await import('./later.ts')).later.SessionsPage)
const SessionPage = lazy(async () => (await import('./later.ts')).later.SessionPage)
const QueriesPage = lazy(async () => (await import('./later.ts')).later.QueriesPage)
const QueryPage = lazy(async () => (await import('./later.ts')).later.QueryPage)
const EventsPage = lazy(async () => (await import('./later.ts')).later.EventsPage)

/** Every page, a row for each. The navigation and the keys follow from them. */
export const pages: readonly Page[] = [
  {
    path: 'overview',
    title: () => 'Overview',
    content: () => <OverviewPage />,
    entry: { title: 'Overview', icon: 'overview', key: 'o' },
  },
  {
    path: 'services',
    title: () => 'Services',
    content: () => <ServicesPage />,
    isSearched: true,
    entry: { title: 'Services', icon: 'services', key: 's' },
  },
  {
    path: 'services/:service',
    title: ({ service = '' }) => service,
    content: ({ service = '' }) => <ServicePage key={service} service={service} />,
  },
  {
    path: 'services/:service/:node/:id',
    title: ({ id = '' }) => id,
    content: ({ service = '', node = '', id = '' }) => (
      <InstancePage key={`${node}/${id}`} service={service} node={node} id={id} />
    ),
  },
  {
    path: 'nodes',
    title: () => 'Nodes',
    content: () => <NodesPage />,
    isSearched: true,
    entry: { title: 'Nodes', icon: 'nodes', key: 'n' },
  },
  {
    path: 'nodes/:node',
    title: ({ node = '' }) => node,
    content: ({ node = '' }) => <NodePage key={node} node={node} />,
  },
  {
    path: 'intentions',
    title: () => 'Intentions',
    content: () => <IntentionsPage />,
    isSearched: true,
    entry: { title: 'Intentions', icon: 'intentions', key: 'i' },
  },
  { path: 'intentions/new', title: () => 'New intention', content: () => <NewIntentionPage /> },
  {
    path: 'intentions/:id',
    title: () => 'Intention',
    content: ({ id = '' }) => <IntentionPage key={id} id={id} />,
  },
  {
    path: 'kv',
    title: () => 'Key/Value',
    content: () => <KvPage />,
    entry: { title: 'Key/Value', icon: 'key', key: 'k' },
  },
  {
    path: 'kv/folder/:folder',
    title: ({ folder = '' }) => folder,
    content: ({ folder = '' }) => <KvPage folder={folder} />,
  },
  {
    path: 'kv/key/:key',
    title: ({ key = '' }) => key,
    content: ({ key = '' }) => <KvPage openKey={key} />,
  },
  { path: 'kv/new', title: () => 'New key', content: () => <KvPage isNew /> },
  {
    path: 'sessions',
    title: () => 'Sessions and locks',
    content: () => <SessionsPage />,
    entry: { title: 'Sessions', icon: 'sessions', key: 'l' },
  },
  {
    path: 'sessions/:session',
    title: ({ session = '' }) => session,
    content: ({ session = '' }) => <SessionPage key={session} id={session} />,
  },
  {
    path: 'queries',
    title: () => 'Prepared queries',
    content: () => <QueriesPage />,
    entry: { title: 'Queries', icon: 'queries', key: 'q' },
  },
  {
    path: 'queries/:query',
    title: ({ query = '' }) => query,
    content: ({ query = '' }) => <QueryPage key={query} id={query} />,
  },
  {
    path: 'events',
    title: () => 'Events',
    content: () => <EventsPage />,
    entry: { title: 'Events', icon: 'events', key: 'e' },
  },
  ...accessPages,
  {
    path: 'cluster',
    title: () => 'Cluster',
    content: () => <ClusterPage />,
    entry: { title: 'Cluster', icon: 'cluster', key: 'c' },
  },
  {
    path: 'settings',
    title: () => 'Settings',
    content: () => <SettingsPage />,
    entry: { title: 'Settings', icon: 'settings', key: ',' },
  },
]

export interface Found {
  readonly page: Page
  readonly values: PathValues
}

/** The page of a path. */
export function pageOf(path: string): Found | undefined {
  for (const page of pages) {
    const values = matchPath(page.path, path)
    if (values !== undefined) return { page, values }
  }
  return undefined
}
