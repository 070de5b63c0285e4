import {
  catalogTarget,
  checksTarget,
  eventTarget,
  keyTarget,
  prefixTarget,
} from './watch-target.ts'
import { usage, type WatchOptions, type WatchTarget } from './watch-target.ts'

/** The options of Consul's command that say what is watched, beside --type. */
type Parameter = 'key' | 'prefix' | 'service' | 'tag' | 'passingonly' | 'state' | 'name'

interface WatchType {
  readonly takes: readonly Parameter[]
  readonly target: (options: WatchOptions) => WatchTarget
}

const types: Readonly<Record<string, WatchType>> = {
  key: { takes: ['key'], target: (options) => keyTarget(options.key ?? '', options) },
  keyprefix: {
    takes: ['prefix'],
    target: (options) => {
      const { prefix = '' } = options
      if (prefix === '') throw usage('Must specify a single prefix to watch.')
      return prefixTarget(prefix, options)
    },
  },
  services: { takes: [], target: (options) => catalogTarget('services', undefined, options) },
  nodes: { takes: [], target: (options) => catalogTarget('nodes', undefined, options) },
  service: {
    takes: ['service', 'tag', 'passingonly'],
    target: (options) => {
      const { service = '', passingonly = 'false' } = options
      if (service === '') throw usage('Must specify a single service to watch.')
      return catalogTarget('service', service, { ...options, passing: booleanOf(passingonly) })
    },
  },
  checks: {
    takes: ['service', 'state'],
    target: (options) => {
      const isBoth = options.service !== undefined && options.state !== undefined
      if (isBoth) throw usage('Cannot specify service and state.')
      return checksTarget(options)
    },
  },
  event: { takes: ['name'], target: (options) => eventTarget(options.name, options) },
}

/** Not even Consul's command has these. */
const notForCommands = ['connect_roots', 'connect_leaf', 'agent_service']
const parameters = ['key', 'prefix', 'service', 'tag', 'passingonly', 'state', 'name'] as const
const own = ['services', 'nodes', 'node', 'checks', 'event', 'events', 'passing'] as const

/** The target of `--type`, as Consul's command reads it, and in its words. Throws `usage`. */
export function consulTarget(options: WatchOptions): WatchTarget {
  const { type = '' } = options
  if (notForCommands.includes(type)) throw usage(`Type ${type} is not supported in the CLI tool.`)
  const row = Object.hasOwn(types, type) ? types[type] : undefined
  if (row === undefined) {
    throw usage(`Unsupported watch type: ${type}. Use one of ${Object.keys(types).join(', ')}.`)
  }
  const stray = own.find((name) => options[name] !== undefined)
  if (stray !== undefined) throw usage(`Use either --type or --${stray}.`)
  const invalid = parameters.filter(
    (name) => options[name] !== undefined && !row.takes.includes(name),
  )
  if (invalid.length > 0) throw usage(`Invalid parameters: [${invalid.join(' ')}].`)
  return row.target(options)
}

function booleanOf(text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true
  if (/^(?:0|f|false)$/i.test(text)) return false
  throw usage(`Failed to parse passingonly flag: ${JSON.stringify(text)} is not true or false.`)
}
