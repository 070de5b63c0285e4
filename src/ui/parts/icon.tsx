import type { JSX } from 'preact'

const paths = {
  overview: 'M2.5 13.5h11M4 13.5V8.8M7 13.5V4.5M10 13.5V7M13 13.5V2.5',
  cluster:
    'M8 5.6a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM3.6 14a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM12.4 14a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM7 5.4 4.5 10.6M9 5.4l2.5 5.2M5.4 12.2h5.2',
  services: 'M8 2.2 13.5 5v6L8 13.8 2.5 11V5zM2.8 5.1 8 8l5.2-2.9M8 8v5.6',
  nodes: 'M2.5 3.5h11v3.6h-11zM2.5 8.9h11v3.6h-11zM5 5.3h.01M5 10.7h.01',
  intentions: 'M2.5 5.2h10M9.7 2.4l2.8 2.8-2.8 2.8M13.5 11.2h-10M6.3 8.4 3.5 11.2l2.8 2.8',
  access: 'M8 1.8 13 3.6v4.2c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4V3.6zM8 6.2v3.2M8 6.4h.01',
  key: 'M6 10.2a3.1 3.1 0 1 0-.1 0zM8.2 8.3l5.3 5.2M11 11l1.5-1.5',
  folder: 'M2.5 4h3.8l1.4 1.6h5.8v7H2.5z',
  sessions: 'M4 7.2h8v5.8H4zM5.6 7V5.2a2.4 2.4 0 0 1 4.8 0V7',
  queries: 'M2.5 3.5h11L9.4 8.6v4L6.6 13.8V8.6z',
  events: 'M8.8 2 4 9h3.6l-.6 5L12 6.8H8.4z',
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
