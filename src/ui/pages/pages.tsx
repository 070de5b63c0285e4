import { lazy } from '../parts/lazy.tsx'
import { matchPath } from '../core/route.ts'
import type { PathValues } from '../core/route.ts'
import { InstancePage } from './instance/instance-page.tsx'
import { NodePage } from './node/node-page.tsx'
import { NodesPage } from './nodes/nodes-page.tsx'
import type { Page } from './page.ts'
import { ServicePage } from './service/service-page.tsx'
import { ServicesPage } from './services/services-page.tsx'
import { SettingsPage } from './settings/settings-page.tsx'

const IntentionsPage = lazy(
  async () => (await import('./intentions/intentions-page.tsx')).IntentionsPage,
)
const NewIntentionPage = lazy(
  async () => (await import('./intentions/intention-page.tsx')).NewIntentionPage,
)
const IntentionPage = lazy(
  async () => (await import('./intentions/intention-page.tsx')).IntentionPage,
)

/** Every page, a row for each. The navigation and the keys follow from them. */
export const pages: readonly Page[] = [
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
