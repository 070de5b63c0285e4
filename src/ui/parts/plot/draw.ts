import UPlot from 'uplot'
import type { AlignedData, Options } from 'uplot'
import { isolated, numberText, stacked, timesOf } from '../../core/series.ts'
import type { PlotData } from '../../core/series.ts'
import { clockText } from '../../core/time-text.ts'

export interface DrawOptions {
  readonly data: PlotData
  readonly unit: string
  readonly isStacked: boolean
  readonly isUtc: boolean
}

const heightPx = 148
/** A plot is at least this long, so that the first values do not fill it. */
const spanSecondsMin = 300

/** Draws a plot that follows the width of its place. Returns how to remove it. */
export function drawPlot(place: HTMLElement, options: DrawOptions): () => void {
  const { data, isStacked } = options
  const heights = isStacked ? stacked(data.series) : data.series.map(({ values }) => values)
  const order = data.series.map((_none, at) => at)
  // The highest area is drawn first, and the others over it.
  if (isStacked) order.reverse()
  const times = timesOf(data).map((ms) => ms / 1000)
  const aligned = [times, ...order.map((at) => heights[at] ?? [])] as unknown as AlignedData
  const plot = new UPlot(settingsOf(place, options, order), aligned, place)
  const observer = new ResizeObserver(() =>
    plot.setSize({ width: place.clientWidth, height: heightPx }),
  )
  observer.observe(place)
  return () => {
    observer.disconnect()
    plot.destroy()
  }
}

function settingsOf(
  place: HTMLElement,
  { data, unit, isStacked, isUtc }: DrawOptions,
  order: readonly number[],
): Options {
  const style = getComputedStyle(place)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const resolve = resolver(place)
  const muted = resolve(colour('muted'))
  const line = resolve(colour('line'))
  const font = `11px ${style.fontFamily}`
  const axis = { stroke: muted, font, ticks: { show: false }, grid: { stroke: line, width: 1 } }
  return {
    width: place.clientWidth,
    height: heightPx,
    padding: [8, 8, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { range: (_plot, from, to) => [Math.min(from, to - spanSecondsMin), to] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 70,
        incrs: [60, 300, 600, 900, 1800],
        values: (_plot, splits) => splits.map((at) => clockText(at * 1000, isUtc).slice(0, 5)),
      },
      {
        ...axis,
        size: 52,
        space: 34,
        values: (_plot, splits) => splits.map((value) => numberText(value) + unit),
      },
    ],
    series: [
      {},
      ...order.map((at) => {
        const series = data.series[at]
        const stroke = resolve(colour(series?.color ?? 'muted'))
        return {
          label: series?.name ?? '',
          stroke,
          width: 1.5,
          // A line needs two values.
          points: {
            show: false,
            filter: isolated(series?.values ?? []),
            size: 5,
            width: 0,
            fill: stroke,
          },
          ...(isStacked ? { fill: resolve(tintOf(colour(series?.color ?? 'muted'))) } : {}),
        }
      }),
    ],
  }
}

/** Areas lie over each other, so they are pale and not transparent. */
function tintOf(colour: string): string {
  return `color-mix(in srgb, ${colour} 26%, var(--surface))`
}

/** A canvas does not know `light-dark()`: the browser works the colour out. */
function resolver(place: HTMLElement): (colour: string) => string {
  return (colour) => {
    const probe = document.createElement('span')
    probe.style.color = colour
    place.append(probe)
    const { color } = getComputedStyle(probe)
    probe.remove()
    return color
  }
}
