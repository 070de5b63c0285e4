import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Empty, Waiting } from './note.tsx'

interface LazyProps {
  /** Loads the page: `async () => (await import('./x.tsx')).XPage`. */
  readonly load: () => Promise<() => JSX.Element>
}

/** A page that is not part of the first load. Give it a `key`: `load` is called once. */
export function Lazy({ load }: LazyProps): JSX.Element {
  const [state, setState] = useState<{
    readonly Page?: () => JSX.Element
    readonly isFailed?: true
  }>({})
  useEffect(() => {
    load().then(
      (Page) => setState({ Page }),
      () => setState({ isFailed: true }),
    )
  }, [])
  const { Page, isFailed } = state
  if (isFailed === true) return <CannotLoad />
  return Page === undefined ? <Waiting /> : <Page />
}

/** The agent is gone, or has the UI of another version by now. */
function CannotLoad(): JSX.Element {
  return (
    <Empty isPage title="This page could not be loaded">
      <p>The agent does not answer, or it was updated. Load the page again.</p>
      <p>
        <button type="button" onClick={() => window.location.reload()}>
          Load again
        </button>
      </p>
    </Empty>
  )
}
