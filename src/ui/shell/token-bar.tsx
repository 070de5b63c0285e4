import type { JSX } from 'preact'
import { path } from '../data/location.ts'
import { isTokenLost } from '../data/preferences.ts'
import { TokenEntry } from '../parts/token-entry.tsx'

/** Asks for another token when that of this tab is gone. Everything below stays as it is, also open forms. */
export function TokenBar(): JSX.Element | null {
  if (!isTokenLost.value || path.value === 'settings') return null
  return (
    <section class="token-bar" aria-label="Token">
      <p role="alert">
        <strong>The token of this tab is not valid: it has expired or was deleted.</strong> Nothing
        that you typed is lost. Enter another token, and continue.
      </p>
      <TokenEntry label="Secret of another token" />
    </section>
  )
}
