import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { token } from '../data/preferences.ts'

/** Where the reader enters the secret of a token, for this tab. */
export function TokenEntry({ label = 'Secret' }: { readonly label?: string }): JSX.Element {
  const [typed, setTyped] = useState('')
  const use = (secret: string): void => {
    token.value = secret
    setTyped('')
  }
  return (
    <form
      class="token-entry"
      onSubmit={(event) => {
        event.preventDefault()
        use(typed.trim())
      }}
    >
      <label>
        <span>{label}</span>
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
        <button type="button" onClick={() => use('')}>
          Forget the token
        </button>
      )}
    </form>
  )
}
