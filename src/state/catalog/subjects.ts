import { anySubject } from '../machine/versions.ts'

/** What readers of the catalog may wait for or cache by. Names are lower-cased here. */
export const subject = {
  nodes: 'nodes',
  services: 'services',
  checks: 'checks',
  /** Moves with every batch that changes the catalog; for what depends on more than can be named. */
  anything: anySubject,
  node: (name: string): string => `node:${name.toLowerCase()}`,
  service: (name: string): string => `service:${name.toLowerCase()}`,
} as const
