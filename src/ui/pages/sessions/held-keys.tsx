import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { KeyRow } from '../../../client/rows.ts'
import { pathTo } from '../../core/route.ts'
import { asFault, get } from '../../data/api.ts'
import { keysBelow } from '../../data/keys.ts'
import { token } from '../../data/preferences.ts'
import { Icon } from '../../parts/icon.tsx'
import { Name } from '../../parts/name.tsx'

/** The API names the session of a key, but not the keys of a session: all are read, if they are not many. */
const keysMax = 2000

type Held =
  | { readonly kind: 'waiting' }
  /** The reader decides, because it takes long. */
  | { readonly kind: 'many'; readonly count: number }
  | { readonly kind: 'known'; readonly rows: readonly KeyRow[] }
  | { readonly kind: 'failed'; readonly text: string }

/** The keys whose lock a session holds. */
export function HeldKeys({ id }: { readonly id: string }): JSX.Element {
  const [isAsked, setAsked] = useState(false)
  const [held, setHeld] = useState<Held>({ kind: 'waiting' })
  const secret = token.value
  useEffect(() => {
    const stop = new AbortController()
    find(id, isAsked, stop.signal).then(
      (found) => {
        if (!stop.signal.aborted) setHeld(found)
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setHeld({ kind: 'failed', text: asFault(error).message })
      },
    )
    return () => stop.abort()
  }, [id, isAsked, secret])
  switch (held.kind) {
    case 'waiting':
      return <p class="muted">Looking at the keys…</p>
    case 'failed':
      return (
        <p class="field-fault" role="alert">
          {held.text}
        </p>
      )
    case 'many':
      return (
        <p>
          There are {held.count.toLocaleString('en')} keys to look at.{' '}
          <button type="button" onClick={() => setAsked(true)}>
            Look at all of them
          </button>
        </p>
      )
    case 'known':
      return <Keys rows={held.rows} />
    default:
      return held satisfies never
  }
}

async function find(id: string, isAsked: boolean, stop: AbortSignal): Promise<Held> {
  const { length: count } = await keysBelow('', stop)
  if (count === 0) return { kind: 'known', rows: [] }
  if (count > keysMax && !isAsked) return { kind: 'many', count }
  const { data } = await get<readonly KeyRow[]>('kv/?recurse&stale', stop)
  return { kind: 'known', rows: data.filter(({ Session }) => Session === id) }
}

function Keys({ rows }: { readonly rows: readonly KeyRow[] }): JSX.Element {
  if (rows.length === 0) return <p class="muted">It holds no lock that this token may read.</p>
  return (
    <ul class="held">
      {rows.map(({ Key, LockIndex }) => (
        <li key={Key}>
          <Icon name="sessions" />
          <Name text={Key} href={pathTo('kv', 'key', Key)} />
          <span class="muted">lock index {LockIndex}</span>
        </li>
      ))}
    </ul>
  )
}
