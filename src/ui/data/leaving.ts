import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

// A page with unsaved text asks before the reader leaves it.

/** What would be lost, in words; undefined: nothing. */
export const unsaved = signal<string | undefined>(undefined)
/** Where the reader wants to go, while the page asks. */
export const leavingTo = signal<string | undefined>(undefined)

/** As long as the component is there and `what` is not undefined, the page asks before it is left. */
export function useUnsaved(what: string | undefined): void {
  useEffect(() => {
    unsaved.value = what
    return () => {
      unsaved.value = undefined
    }
  }, [what])
}

/** Browsers ask in their own words before a tab is closed or loaded again. Call it once. */
export function guardUnload(): void {
  window.addEventListener('beforeunload', (event) => {
    if (unsaved.peek() !== undefined) event.preventDefault()
  })
}
