import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { KeyRow } from '../../../client/rows.ts'
import { asFault } from '../../data/api.ts'
import type { ApiFault } from '../../data/api.ts'
import { isDots, keyPath, readKey } from '../../data/keys.ts'
import { useLive } from '../../data/live.ts'
import { token } from '../../data/preferences.ts'
import { Fault, Waiting } from '../../parts/note.tsx'
import { draftOf } from './drafts.ts'
import { KeyEditor } from './key-editor.tsx'
import { KeyGone } from './key-gone.tsx'
import { KeyValue } from './key-value.tsx'

interface Read {
  /** Null: there is no such key. */
  readonly entry: KeyRow | null | undefined
  readonly fault: ApiFault | undefined
  /** Reads it again. */
  readonly refresh: () => void
}

/** One key: as it is read, or its editor. */
export function KeyView({ name }: { readonly name: string }): JSX.Element {
  return isDots(name) ? <DotsKey name={name} /> : <LiveKey name={name} />
}

function LiveKey({ name }: { readonly name: string }): JSX.Element {
  const { data, fault } = useLive<KeyRow | null>(keyPath('watch/key/', name))
  return <Shown name={name} read={{ entry: data, fault, refresh }} />
}

/** The stream brings each change. */
function refresh(): void {}

/** A key that no stream can name. */
function DotsKey({ name }: { readonly name: string }): JSX.Element {
  const [version, setVersion] = useState(0)
  const [read, setRead] = useState<Omit<Read, 'refresh'>>({ entry: undefined, fault: undefined })
  const secret = token.value
  useEffect(() => {
    const stop = new AbortController()
    readKey(name, stop.signal).then(
      (entry) => setRead({ entry, fault: undefined }),
      (error: unknown) => {
        if (!stop.signal.aborted) setRead({ entry: undefined, fault: asFault(error) })
      },
    )
    return () => stop.abort()
  }, [name, secret, version])
  return <Shown name={name} read={{ ...read, refresh: () => setVersion(version + 1) }} />
}

/** A text that was typed stays in sight, whatever the agent answers. */
function Shown({ name, read }: { readonly name: string; readonly read: Read }): JSX.Element {
  const { entry, fault, refresh } = read
  const draft = draftOf(name)
  if (draft !== undefined) {
    return <KeyEditor name={name} draft={draft} entry={entry} onSaved={refresh} />
  }
  return <Refused fault={fault}>{contentOf(name, entry, refresh)}</Refused>
}

function contentOf(
  name: string,
  entry: KeyRow | null | undefined,
  refresh: () => void,
): JSX.Element {
  if (entry === undefined) return <Waiting />
  if (entry === null) return <KeyGone name={name} onRestored={refresh} />
  return <KeyValue entry={entry} onDeleted={refresh} />
}

function Refused({
  fault,
  children,
}: {
  readonly fault: ApiFault | undefined
  readonly children: ComponentChildren
}): JSX.Element {
  return fault === undefined ? <>{children}</> : <Fault fault={fault} />
}
