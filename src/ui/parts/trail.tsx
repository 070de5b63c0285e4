import type { ComponentChildren, JSX } from 'preact'

/** The pages above this one, as links. Esc follows the last one. */
export function Trail({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <nav class="trail" aria-label="Where you are">
      {children}
    </nav>
  )
}
