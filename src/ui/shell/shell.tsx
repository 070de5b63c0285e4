import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks'
import { path } from '../data/location.ts'
import { pageOf, pages } from '../pages/pages.tsx'
import { pathTo } from '../core/route.ts'
import { visibleText } from '../core/text.ts'
import { Icon } from '../parts/icon.tsx'
import { useInView } from '../parts/in-view.ts'
import { Empty } from '../parts/note.tsx'
import { ConnectionState } from './connection-state.tsx'
import { Datacenter } from './datacenter.tsx'
import { KeyHelp, openKeyHelp, useKeys } from './keys.tsx'
import { Leave } from './leave.tsx'
import { SearchBox } from './search-box.tsx'
import { TokenBar } from './token-bar.tsx'

/** The frame of every page: navigation, search, the state of the connection. */
export function Shell(): JSX.Element {
  const found = pageOf(path.value)
  const title = found === undefined ? 'Not found' : visibleText(found.page.title(found.values))
  useEffect(() => {
    document.title = `${title} · svcd`
  }, [title])
  useKeys()
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Navigation />
      <div class="page">
        <header class="bar">
          <Datacenter />
          <SearchBox isFilter={found?.page.isSearched === true} />
          <ConnectionState />
          <button
            type="button"
            class="bare"
            title="Keys (?)"
            aria-label="Show the keys"
            onClick={openKeyHelp}
          >
            <Icon name="help" />
          </button>
        </header>
        <TokenBar />
        <main id="content" tabIndex={-1}>
          <Guarded key={path.value}>
            {found === undefined ? <NoPage /> : found.page.content(found.values)}
          </Guarded>
        </main>
      </div>
      <KeyHelp />
      <Leave />
    </>
  )
}

/** A page that fails, for example because the agent has another version, leaves the rest of the UI usable. */
function Guarded({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const [error] = useErrorBoundary()
  if (error === undefined) return <>{children}</>
  return (
    <Empty isPage title="This page cannot show what the agent sent">
      <p class="said">{visibleText(String(error))}</p>
      <p>
        The agent may have another version than this page.{' '}
        <button type="button" onClick={() => window.location.reload()}>
          Load the page again
        </button>
      </p>
    </Empty>
  )
}

function Navigation(): JSX.Element {
  const [here = ''] = path.value.split('/')
  const list = useRef<HTMLUListElement>(null)
  useInView(list, here)
  return (
    <nav class="nav" aria-label="Pages">
      <div class="brand">
        <strong>svcd</strong>
      </div>
      <ul ref={list}>
        {pages.map(({ path: to, entry }) =>
          entry === undefined ? null : (
            <li key={to}>
              <a
                href={pathTo(to)}
                aria-current={to === here ? 'page' : undefined}
                title={entry.title}
              >
                <Icon name={entry.icon} />
                <span>{entry.title}</span>
              </a>
            </li>
          ),
        )}
      </ul>
    </nav>
  )
}

function NoPage(): JSX.Element {
  return (
    <Empty isPage title="There is no such page">
      <p>
        <a href={pathTo('services')}>Show all services</a>
      </p>
    </Empty>
  )
}
