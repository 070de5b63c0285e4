import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { visibleText } from '../../core/text.ts'
import { useFetched } from '../../data/fetched.ts'
import { token } from '../../data/preferences.ts'
import { FactList } from '../../parts/facts.tsx'
import { Status } from '../../parts/mark.tsx'

interface Linked {
  readonly Name: string
}

interface OwnToken {
  readonly AccessorID: string
  readonly Description: string
  readonly Policies?: readonly Linked[] | null
  readonly Roles?: readonly Linked[] | null
}

/** Whose rights the UI has. */
export function TokenForm(): JSX.Element {
  const [typed, setTyped] = useState('')
  const { data, fault } = useFetched<OwnToken>('acl/token/self')
  const isOff = fault?.status === 401
  const submit = (event: Event): void => {
    event.preventDefault()
    token.value = typed.trim()
    setTyped('')
  }
  return (
    <section class="token">
      <h2>Token</h2>
      {isOff ? (
        <p>Access control is off on this agent, so the UI needs no token.</p>
      ) : (
        <>
          <p>
            The UI may do what the policies of this token allow. Without one it has the rights of
            the anonymous token.
          </p>
          <form onSubmit={submit}>
            <label>
              <span>Secret</span>
              <input
                type="password"
                autocomplete="off"
                spellcheck={false}
                value={typed}
                onInput={({ currentTarget }) => setTyped(currentTarget.value)}
                placeholder="00000000-0000-0000-0000-000000000000"
              />
            </label>
            <button type="submit" class="primary" disabled={typed.trim() === ''}>
              Use this token
            </button>
            {token.value !== '' && (
              <button type="button" onClick={() => (token.value = '')}>
                Forget the token
              </button>
            )}
          </form>
        </>
      )}
      {fault !== undefined && !isOff && (
        <p class="said" role="alert">
          <Status health="critical" text={visibleText(fault.message)} />
        </p>
      )}
      {data !== undefined && !isOff && <Rights own={data} />}
    </section>
  )
}

function Rights({ own }: { readonly own: OwnToken }): JSX.Element {
  return (
    <FactList
      rows={[
        [
          'In use',
          own.Description === ''
            ? own.AccessorID
            : `${visibleText(own.Description)} (${own.AccessorID})`,
        ],
        ['Policies', names(own.Policies)],
        ['Roles', names(own.Roles)],
      ]}
    />
  )
}

function names(linked: readonly Linked[] | null | undefined): string {
  return (linked ?? []).map(({ Name }) => visibleText(Name)).join(', ') || 'none'
}
