import type { ComponentChildren, JSX } from 'preact'

export interface Tile {
  readonly name: string
  readonly value: ComponentChildren
  /** A second line, smaller. */
  readonly note?: ComponentChildren
  /** The page that has the details. */
  readonly href?: string
}

/** The few numbers that a page begins with. */
export function Tiles({ rows }: { readonly rows: readonly Tile[] }): JSX.Element {
  return (
    <dl class="tiles">
      {rows.map(({ name, value, note, href }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span class="value">{href === undefined ? value : <a href={href}>{value}</a>}</span>
            {note !== undefined && <span class="note-line">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
}
