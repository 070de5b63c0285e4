import type { JSX } from 'preact'

/** Who has to enforce intentions: not svcd. */
export function Enforcement(): JSX.Element {
  return (
    <p class="note">
      svcd stores these rules and answers questions about them. It does not see the connections: a
      proxy, or the service itself, has to enforce them.
    </p>
  )
}
