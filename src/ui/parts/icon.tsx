import type { JSX } from 'preact'

const paths = {
  services: 'M8 2.2 13.5 5v6L8 13.8 2.5 11V5zM2.8 5.1 8 8l5.2-2.9M8 8v5.6',
  nodes: 'M2.5 3.5h11v3.6h-11zM2.5 8.9h11v3.6h-11zM5 5.3h.01M5 10.7h.01',
  intentions: 'M2.5 5.2h10M9.7 2.4l2.8 2.8-2.8 2.8M13.5 11.2h-10M6.3 8.4 3.5 11.2l2.8 2.8',
  settings: 'M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 3v3M6 10v3',
  help: 'M6.2 6.2a1.9 1.9 0 1 1 2.6 1.9c-.6.3-.8.7-.8 1.3M8 11.6h.01M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4l3.3 3.3',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  done: 'M3 8.5 6.3 12 13 4.5',
  up: 'M8 13V3.5M4.5 7 8 3.5 11.5 7',
  down: 'M8 3v9.5M4.5 9 8 12.5 11.5 9',
  clear: 'M4 4l8 8M12 4l-8 8',
} as const

export type IconName = keyof typeof paths

/** A drawing of 16 pixels. It is always beside a text, or inside a control with a label. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
