import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { navigate } from '../data/location.ts'
import { pathTo } from '../core/route.ts'
import { pages } from '../pages/pages.tsx'

const dialogId = 'keys'

/** The keys that work on every page. Tables have their own. */
export function useKeys(): void {
  useEffect(() => {
    // `g` waits for the letter of a page. Any other key ends that.
    let isChord = false
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (isTyping(event.target)) return
      const wasChord = isChord
      isChord = event.key === 'g'
      const page = wasChord ? pages.find(({ entry }) => entry?.key === event.key) : undefined
      if (page !== undefined) navigate(pathTo(page.path))
      else if (event.key === '/') focusSearch()
      else if (event.key === '?') openKeyHelp()
      else if (event.key === 'Escape') leave()
      else if (event.key === 'ArrowDown' || event.key === 'j') enterRows()
      else return
      event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null
}

function focusSearch(): void {
  const box = document.querySelector<HTMLInputElement>('.search input')
  box?.focus()
  box?.select()
}

/** From anywhere on the page into its table. */
export function enterRows(): void {
  document.querySelector<HTMLElement>('.grid .row[tabindex="0"]')?.focus()
}

/** Back to where the reader came from, but never out of the UI. */
function leave(): void {
  const trail = [...document.querySelectorAll<HTMLAnchorElement>('.trail a')].at(-1)
  if (trail !== undefined) navigate(trail.getAttribute('href') ?? pathTo('services'))
}

export function openKeyHelp(): void {
  const dialog = document.getElementById(dialogId)
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal()
}

function close(): void {
  const dialog = document.getElementById(dialogId)
  if (dialog instanceof HTMLDialogElement) dialog.close()
}

/** The list of keys. */
export function KeyHelp(): JSX.Element {
  const toPages = pages.flatMap(({ entry }) =>
    entry === undefined ? [] : [[['g', entry.key], entry.title] as const],
  )
  const rows: readonly (readonly [readonly string[], string])[] = [
    [['/'], 'Search'],
    [['↓', 'j'], 'Next row'],
    [['↑', 'k'], 'Previous row'],
    [['Enter'], 'Open the row'],
    [['Esc'], 'One page up'],
    ...toPages,
    [['?'], 'This list'],
  ]
  return (
    <dialog id={dialogId} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  )
}
