import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Sort } from '../core/sort.ts'
import { sortText, toggled } from '../core/sort.ts'
import { visibleRows } from '../core/window.ts'
import type { Visible } from '../core/window.ts'
import { navigate, setParameters } from '../data/location.ts'
import { density } from '../data/preferences.ts'
import { Icon } from './icon.tsx'
import { rowPxOf, screen } from './screen.ts'
import { useSteady } from './steady.ts'

export interface Column<Row> {
  readonly id: string
  readonly title: string
  /** As in grid-template-columns: `2fr`, `120px`. */
  readonly width: string
  readonly cell: (row: Row) => ComponentChildren
  readonly isSortable?: boolean
  readonly isNumber?: boolean
  /** `wide`: hidden below 900 px. `second-line`: that of a row on phones. */
  readonly place?: 'wide' | 'second-line'
}

export interface GridProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Where a row leads; Enter opens it. */
  readonly hrefOf?: (row: Row) => string
  readonly sort?: Sort | undefined
  /** Rows that changed just now are lit for a second. */
  readonly changed?: ReadonlySet<string>
}

/** A table of any length. Only the rows that can be seen are in the page. Arrows, j and k move between rows. */
export function Grid<Row>(props: GridProps<Row>): JSX.Element {
  const { label, sort, keyOf } = props
  const { rows, hold } = useSteady(props.rows, keyOf)
  const columns = shownOf(props.columns)
  const body = useRef<HTMLDivElement>(null)
  const { focused, activate } = useActive(rows, keyOf)
  const rowPx = rowPxOf(density.value)
  const visible = useVisibleRows(body, rows.length, rowPx)
  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, index))
    activate(next)
    scrollToRow(body.current, next, rowPx)
    focusRow(body.current, next)
  }
  const onKey = (event: KeyboardEvent): void => {
    const target = targetOf(event.key, focused, rows.length)
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    hold()
    if (target !== 'open') return moveTo(target)
    const row = rows[focused]
    if (row !== undefined && props.hrefOf !== undefined) navigate(props.hrefOf(row))
  }
  const tracks = columns.filter(({ place }) => screen.value !== 'phone' || place !== 'second-line')
  const template = tracks.map(({ width }) => width).join(' ')
  return (
    <div
      class="grid"
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      style={{ '--columns': template }}
    >
      <div class="head" role="rowgroup">
        <div class="row" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <Head key={column.id} column={column} sort={sort} />
          ))}
        </div>
      </div>
      <div
        ref={body}
        class="body"
        role="rowgroup"
        style={{ height: `${rows.length * rowPx}px` }}
        onKeyDown={onKey}
        onPointerMove={hold}
      >
        {rows.slice(visible.from, visible.to).map((row, offset) => {
          const index = visible.from + offset
          return (
            <Row
              key={keyOf(row)}
              grid={props}
              columns={columns}
              row={row}
              index={index}
              isActive={index === focused}
              topPx={index * rowPx}
              onFocus={() => activate(index)}
            />
          )
        })}
      </div>
    </div>
  )
}

/** The row that has the focus when the reader comes to the table. It stays the same one when rows move. */
function useActive<Item>(rows: readonly Item[], keyOf: (row: Item) => string) {
  const [{ index, key }, setActive] = useState({ index: 0, key: '' })
  const activate = (next: number): void => {
    const row = rows[next]
    setActive({ index: next, key: row === undefined ? '' : keyOf(row) })
  }
  const last = Math.max(0, rows.length - 1)
  const there = rows[index]
  const isThere = key === '' || (there !== undefined && keyOf(there) === key)
  const moved = isThere ? -1 : rows.findIndex((row) => keyOf(row) === key)
  return { focused: moved < 0 ? Math.min(index, last) : moved, activate }
}

interface RowProps<Row> {
  readonly grid: GridProps<Row>
  readonly columns: readonly Column<Row>[]
  readonly row: Row
  readonly index: number
  readonly isActive: boolean
  readonly topPx: number
  readonly onFocus: () => void
}

function Row<Item>({
  grid,
  columns,
  row,
  index,
  isActive,
  topPx,
  onFocus,
}: RowProps<Item>): JSX.Element {
  const isChanged = grid.changed?.has(grid.keyOf(row)) === true
  const { hrefOf } = grid
  const open = (event: MouseEvent): void => {
    const isOnLink = event.target instanceof Element && event.target.closest('a, button') !== null
    const isSelecting = (window.getSelection()?.toString() ?? '') !== ''
    if (hrefOf !== undefined && !isOnLink && !isSelecting) navigate(hrefOf(row))
  }
  return (
    <div
      class={`row${isChanged ? ' changed' : ''}${hrefOf === undefined ? '' : ' leads'}`}
      role="row"
      aria-rowindex={index + 2}
      tabIndex={isActive ? 0 : -1}
      data-index={index}
      style={{ transform: `translateY(${topPx}px)` }}
      onFocusIn={onFocus}
      onClick={open}
    >
      {columns.map((column) => (
        <div key={column.id} role="gridcell" class={classOf(column)}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  )
}

function Head<Row>({
  column,
  sort,
}: {
  readonly column: Column<Row>
  readonly sort: Sort | undefined
}): JSX.Element {
  const { id, title, isSortable = false } = column
  const isSorted = sort?.column === id
  const order = sort?.isDescending === true ? 'descending' : 'ascending'
  if (!isSortable || sort === undefined) {
    return (
      <div role="columnheader" class={classOf(column)}>
        {title}
      </div>
    )
  }
  return (
    <div role="columnheader" class={classOf(column)} aria-sort={isSorted ? order : 'none'}>
      <button type="button" onClick={() => setParameters({ sort: sortText(toggled(sort, id)) })}>
        {title}
        {isSorted && <Icon name={sort.isDescending ? 'down' : 'up'} />}
      </button>
    </div>
  )
}

function shownOf<Row>(columns: readonly Column<Row>[]): readonly Column<Row>[] {
  return screen.value === 'wide' ? columns : columns.filter(({ place }) => place !== 'wide')
}

function classOf<Row>({ id, isNumber = false, place }: Column<Row>): string {
  return ['cell', `cell-${id}`, isNumber ? 'number' : '', place ?? '']
    .filter((name) => name !== '')
    .join(' ')
}

/** Where a key leads from a row; `open`: to its page. */
function targetOf(key: string, index: number, count: number): number | 'open' | undefined {
  const page = Math.max(1, Math.floor(window.innerHeight / 60))
  const targets: Readonly<Record<string, number | 'open'>> = {
    ArrowDown: index + 1,
    j: index + 1,
    ArrowUp: index - 1,
    k: index - 1,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: count - 1,
    Enter: 'open',
  }
  return targets[key]
}

/** Where the window is. */
interface View {
  /** Pixels of the rows that have gone out of sight at the top, in whole rows. */
  readonly abovePx: number
  readonly heightPx: number
}

/**
 * Follows the window, which is the only thing that scrolls. It is measured only when it moves: to measure it at each
 * change of the rows would lay out the page once more.
 */
function useVisibleRows(
  body: { readonly current: HTMLElement | null },
  count: number,
  rowPx: number,
): Visible {
  const [{ abovePx, heightPx }, setView] = useState<View>(() => ({
    abovePx: 0,
    heightPx: window.innerHeight,
  }))
  useLayoutEffect(() => {
    const look = (): void => {
      const above = -(body.current?.getBoundingClientRect().top ?? 0)
      const next = {
        abovePx: Math.floor(above / rowPx) * rowPx,
        heightPx: window.innerHeight,
      }
      const isSame = (last: View): boolean =>
        last.abovePx === next.abovePx && last.heightPx === next.heightPx
      setView((last) => (isSame(last) ? last : next))
    }
    look()
    window.addEventListener('scroll', look, { passive: true })
    window.addEventListener('resize', look)
    return () => {
      window.removeEventListener('scroll', look)
      window.removeEventListener('resize', look)
    }
  }, [rowPx])
  return visibleRows(count, rowPx, abovePx, heightPx)
}

/** The bars above the rows, which stay where they are. */
const barsPx = 140

function scrollToRow(body: HTMLElement | null, index: number, rowPx: number): void {
  if (body === null) return
  const top = body.getBoundingClientRect().top + index * rowPx
  if (top < barsPx) window.scrollBy(0, top - barsPx)
  const below = top + rowPx * 2 - window.innerHeight
  if (below > 0) window.scrollBy(0, below)
}

/** The row may be drawn only after the scroll. */
function focusRow(body: HTMLElement | null, index: number): void {
  const find = (): boolean => {
    const row = body?.querySelector<HTMLElement>(`[data-index="${index}"]`)
    row?.focus({ preventScroll: true })
    return row !== null && row !== undefined
  }
  if (!find()) window.requestAnimationFrame(() => window.requestAnimationFrame(find))
}
