import type { ComponentChildren, JSX } from 'preact'

/** Pairs of a name and a value. A row whose value is undefined is left out. */
export function FactList({
  rows,
}: {
  readonly rows: readonly (readonly [string, ComponentChildren])[]
}): JSX.Element {
  return (
    <dl class="facts">
      {rows.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
