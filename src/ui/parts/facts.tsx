import type { ComponentChildren, JSX } from 'preact'

/** Pairs of a name and a value. */
export function FactList({
  rows,
}: {
  readonly rows: readonly (readonly [string, ComponentChildren])[]
}): JSX.Element {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
