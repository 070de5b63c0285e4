import type { Metric, Sample } from '../base/metric.ts'
import type { GateFigures } from '../net/connections/gate.ts'

/** Figures of each port by its name: `http`, `dns`, `server`. */
export type ConnectionFigures = Readonly<Record<string, GateFigures>>

/** The connections of each port, as metrics. */
export function connectionMetrics(ports: ConnectionFigures): readonly Metric[] {
  const figures = Object.entries(ports)
  const samples = (of: (figures: GateFigures) => number): Sample[] =>
    figures.map(([port, each]) => ({ labels: { port }, value: of(each) }))
  const counter = (name: string, help: string, of: (figures: GateFigures) => number): Metric => ({
    name: `svcd_connections_${name}_total`,
    help,
    kind: 'counter',
    samples: samples(of),
  })
  const gauge = (name: string, help: string, of: (figures: GateFigures) => number): Metric => ({
    name: `svcd_connections_${name}`,
    help,
    kind: 'gauge',
    samples: samples(of),
  })
  return [
    gauge('open', 'Number of open connections, by port.', ({ open }) => open),
    gauge('max', 'Maximum number of open connections, by port.', ({ openMax }) => openMax),
    counter('accepted', 'Connections accepted, by port.', ({ accepted }) => accepted),
    {
      name: 'svcd_connections_refused_total',
      help: 'Connections refused, by port and by the limit that was reached (address or total).',
      kind: 'counter',
      samples: figures.flatMap(([port, { refusedAddress, refusedTotal }]) => [
        { labels: { port, reason: 'address' }, value: refusedAddress },
        { labels: { port, reason: 'total' }, value: refusedTotal },
      ]),
    },
    counter(
      'displaced',
      'Idle connections closed to make room for new ones, by port.',
      ({ displaced }) => displaced,
    ),
    counter(
      'timed_out',
      'Connections closed because the client was too slow, by port.',
      ({ timedOut }) => timedOut,
    ),
    counter(
      'accept_errors',
      'Connections that the operating system failed to hand over, by port.',
      ({ acceptErrors }) => acceptErrors,
    ),
  ]
}
