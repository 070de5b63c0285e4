import { useLayoutEffect } from 'preact/hooks'

/** Keeps the chosen entry of a row that scrolls sideways in view. Only the row scrolls, never the page. */
export function useInView(
  row: { readonly current: HTMLElement | null },
  chosen: string | undefined,
): void {
  useLayoutEffect(() => {
    if (row.current === null) return undefined
    // The observer also looks once when it begins.
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) center(entry.target)
    })
    observer.observe(row.current)
    return () => observer.disconnect()
  }, [chosen])
}

function center(row: Element): void {
  const entry = row.querySelector('[aria-selected="true"], [aria-current="page"]')
  if (entry === null) return
  row.scrollLeft += middleOf(entry) - middleOf(row)
}

function middleOf(element: Element): number {
  const { left, width } = element.getBoundingClientRect()
  return left + width / 2
}
