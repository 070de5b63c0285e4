import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { visibleText } from '../../core/text.ts'
import { downloadSnapshot, restoreSnapshot } from '../../data/snapshots.ts'
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx'
import { Name } from '../../parts/name.tsx'

type State =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'running'
      readonly what: string
      readonly bytes: number
      readonly of?: number
    }
  | { readonly kind: 'done' | 'failed'; readonly text: string }

/** The whole state as a file: take it, or restore it. */
export function Snapshots(): JSX.Element {
  const [state, setState] = useState<State>({ kind: 'ready' })
  const [file, setFile] = useState<File | undefined>(undefined)
  const chooser = useRef<HTMLInputElement>(null)
  const run = async (work: () => Promise<string>): Promise<void> => {
    try {
      setState({ kind: 'done', text: await work() })
    } catch (error) {
      setState({ kind: 'failed', text: error instanceof Error ? error.message : String(error) })
    }
  }
  const take = async (): Promise<string> => {
    const what = 'Downloading the snapshot'
    setState({ kind: 'running', what, bytes: 0 })
    const name = await downloadSnapshot((bytes) => setState({ kind: 'running', what, bytes }))
    return `Saved as ${name}.`
  }
  const restore = async (chosen: File): Promise<string> => {
    const what = 'Restoring'
    setState({ kind: 'running', what, bytes: 0, of: chosen.size })
    await restoreSnapshot(chosen, (bytes) =>
      setState({ kind: 'running', what, bytes, of: chosen.size }),
    )
    return `Restored ${chosen.name}. All servers have this state now.`
  }
  const isRunning = state.kind === 'running'
  return (
    <section class="snapshots-part">
      <h2>Snapshots</h2>
      <p class="muted">
        A snapshot is the whole replicated state in one file: catalog, keys, sessions, queries and
        access control. This needs the right <code>acl:write</code>.
      </p>
      <div class="actions">
        <button type="button" disabled={isRunning} onClick={() => void run(take)}>
          Take and download
        </button>
        <button type="button" disabled={isRunning} onClick={() => chooser.current?.click()}>
          Restore…
        </button>
        <input
          ref={chooser}
          type="file"
          class="unseen"
          tabIndex={-1}
          aria-label="The snapshot to restore"
          onChange={({ currentTarget }) => {
            setFile(currentTarget.files?.[0])
            currentTarget.value = ''
          }}
        />
      </div>
      <Progress state={state} />
      {file !== undefined && (
        <AskRestore
          file={file}
          onRestore={() => void run(() => restore(file))}
          onClose={() => setFile(undefined)}
        />
      )}
    </section>
  )
}

function Progress({ state }: { readonly state: State }): JSX.Element {
  if (state.kind !== 'running') {
    const isFailed = state.kind === 'failed'
    return (
      <p
        class={isFailed ? 'progress critical-text' : 'progress'}
        role={isFailed ? 'alert' : 'status'}
      >
        {state.kind === 'ready' ? '' : visibleText(state.text)}
      </p>
    )
  }
  const { what, bytes, of } = state
  const size = of === undefined ? bytesText(bytes) : `${bytesText(bytes)} of ${bytesText(of)}`
  return (
    <p class="progress" role="status">
      {what}: {size}{' '}
      <progress aria-label={what} {...(of === undefined ? {} : { value: bytes, max: of })} />
    </p>
  )
}

interface AskRestoreProps {
  readonly file: File
  readonly onRestore: () => void
  readonly onClose: () => void
}

/** The dialog closes as soon as the restore begins: the page shows how far it is. */
function AskRestore({ file, onRestore, onClose }: AskRestoreProps): JSX.Element {
  return (
    <ConfirmDialog
      title="Restore this snapshot?"
      verb="Restore"
      onConfirm={() => {
        onRestore()
        return Promise.resolve()
      }}
      onClose={onClose}
    >
      <p>
        <Name text={file.name} /> ({bytesText(file.size)})
      </p>
      <p>
        All servers get the state of this file. What was registered or written since then is lost,
        also tokens and policies. Clients see the changes one by one.
      </p>
      <p class="muted">Take a snapshot of the present state first: it is the only way back.</p>
    </ConfirmDialog>
  )
}

function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const kib = bytes / 1024
  return kib < 1024 ? `${Math.round(kib)} KiB` : `${(kib / 1024).toFixed(1)} MiB`
}
