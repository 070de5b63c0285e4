import { computed, effect, signal } from '@preact/signals'

// What the reader prefers, kept in this browser. The token lives as long as the tab does.

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'normal' | 'compact'

export const theme = signal<Theme>(oneOf(stored('theme'), ['system', 'light', 'dark']))
export const density = signal<Density>(oneOf(stored('density'), ['normal', 'compact']))
export const isUtc = signal(stored('times') === 'utc')
export const token = signal(window.sessionStorage.getItem('svcd-token') ?? '')
/** The datacenter that this tab shows; '' is the one of the agent. Another one takes effect when the page is loaded again. */
export const datacenter = window.sessionStorage.getItem('svcd-datacenter') ?? ''
/** A secret that the agent does not know, or no longer. */
export const lostSecret = signal('')
/** Whether the token of this tab is such a one. */
export const isTokenLost = computed(() => token.value !== '' && token.value === lostSecret.value)

/** Applies preferences to the page, now and whenever they change. Call it once. */
export function applyPreferences(): void {
  const { dataset } = document.documentElement
  effect(() => {
    dataset['theme'] = theme.value
    store('theme', theme.value)
  })
  effect(() => {
    dataset['density'] = density.value
    store('density', density.value)
  })
  effect(() => store('times', isUtc.value ? 'utc' : 'local'))
  effect(() => {
    if (token.value === '') window.sessionStorage.removeItem('svcd-token')
    else window.sessionStorage.setItem('svcd-token', token.value)
  })
}

/** Shows another datacenter in this tab. Unsaved text is asked about by the browser, as whenever a page is loaded again. */
export function showDatacenter(name: string): void {
  window.sessionStorage.setItem('svcd-datacenter', name)
  window.location.reload()
}

function oneOf<Value extends string>(
  text: string | null,
  values: readonly [Value, ...Value[]],
): Value {
  return values.find((value) => value === text) ?? values[0]
}

function stored(name: string): string | null {
  return window.localStorage.getItem(`svcd-${name}`)
}

function store(name: string, value: string): void {
  window.localStorage.setItem(`svcd-${name}`, value)
}
