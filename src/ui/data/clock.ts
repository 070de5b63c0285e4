import { signal } from '@preact/signals'

/** The time of day, as the texts "4 m ago" need it. It moves once a second while the tab can be seen. */
export const nowMs = signal(Date.now())

/** Call it once. */
export function startClock(): void {
  window.setInterval(() => {
    if (document.visibilityState === 'visible') nowMs.value = Date.now()
  }, 1000)
}
