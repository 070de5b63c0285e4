/** The groups of `svcd --help`, of docs/cli.md and of the manual page, by the first words of their commands. */
export const commandGroups: Readonly<Record<string, readonly string[]>> = {
  'Run an agent': ['agent', 'validate', 'reload', 'resolver-setup'],
  'Register services and report their health': [
    'register',
    'deregister',
    'check',
    'heartbeat',
    'maint',
  ],
  'See what is registered': ['status', 'services', 'ls', 'nodes', 'checks', 'watch', 'resolve'],
  'Store keys and values': ['kv'],
  'Choose instances by prepared queries': ['query'],
  'Say who may call whom': ['intention'],
  'Tell other machines': ['event'],
  'Coordinate programs': ['lock', 'session'],
  'Run a cluster': [
    'members',
    'join',
    'leave',
    'force-leave',
    'operator',
    'snapshot',
    'keygen',
    'tls',
  ],
  'Control access': ['acl'],
  'Find out what is wrong': ['doctor', 'info', 'top', 'monitor', 'debug'],
  'Consul-compatible commands': ['catalog', 'services register', 'services deregister'],
  Other: ['version', 'completion'],
}

const others = 'Other'

/** The names of commands by group, in the order in which the groups have them. */
export function grouped(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const groups = Object.entries(commandGroups).map(([group, starts]) => {
    const inside = starts.flatMap((start) => names.filter((name) => startOf(name) === start))
    const left = group === others ? names.filter((name) => startOf(name) === undefined) : []
    return [group, [...inside, ...left]] as const
  })
  return new Map(groups.filter(([, inside]) => inside.length > 0))
}

const allStarts: ReadonlySet<string> = new Set(Object.values(commandGroups).flat())

/** The entry of a group that a name belongs to: the full name, or else its first word. */
function startOf(name: string): string | undefined {
  return [name, name.split(' ')[0] ?? ''].find((start) => allStarts.has(start))
}
