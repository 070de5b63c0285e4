import { computed, signal } from '@preact/signals'
import { leavingTo, unsaved } from './leaving.ts'

// Where the reader is: the URL is the only place that says it.

interface Place {
  readonly pathname: string
  readonly search: string
}

function placeNow(): Place {
  const { pathname, search } = window.location
  return { pathname, search }
}

const place = signal(placeNow())

/** The path below /ui/. */
export const path = computed(() => place.value.pathname.replace(/^\/ui\/?/, ''))
export const parameters = computed(() => new URLSearchParams(place.value.search))

/** Goes to a page of the UI. `isSame`: it is the same page with other parameters, so Back does not stop there. */
export function navigate(href: string, isSame = false): void {
  if (!isSame && unsaved.peek() !== undefined) {
    leavingTo.value = href
    return
  }
  if (isSame) window.history.replaceState(null, '', href)
  else window.history.pushState(null, '', href)
  place.value = placeNow()
  if (!isSame) window.scrollTo(0, 0)
}

/** Changes parameters of this page; '' removes one. */
export function setParameters(changes: Readonly<Record<string, string>>, isSame = true): void {
  const next = new URLSearchParams(place.value.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name)
    else next.set(name, value)
  }
  const search = next.size === 0 ? '' : `?${next.toString()}`
  navigate(place.value.pathname + search, isSame)
}

/** Follows links of the UI without loading the page again. Call it once. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    const { pathname, search } = placeNow()
    const here = place.peek()
    if (unsaved.peek() !== undefined && pathname !== here.pathname) {
      window.history.pushState(null, '', here.pathname + here.search)
      leavingTo.value = pathname + search
      return
    }
    place.value = placeNow()
  })
  document.addEventListener('click', (event) => {
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (!isPlain || event.defaultPrevented || !(event.target instanceof Element)) return
    const link = event.target.closest('a')
    const href = link?.getAttribute('href') ?? ''
    if (!href.startsWith('/ui/') || link?.target === '_blank') return
    event.preventDefault()
    navigate(href)
  })
}
