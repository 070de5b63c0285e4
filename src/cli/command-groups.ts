/** The groups of `svcd --help`, of docs/cli.md and of the manual page, by the first words of their commands. */
export const commandGroups: Readonly<Record<string, readonly string[]>> = {
  'Run an agent': ['agent', 'validate', 'reload'],
  'Register services and report their health': [
    'register',
    'deregister',
    'check',
    'heartbeat',
    'maint',
  ],
  'See what is registered': ['status', 'services', 'ls', 'nodes', 'checks', 'watch', 'resolve'],
  'Run a cluster': ['members', 'join', 'leave', 'force-leave', 'operator', 'snapshot'],
  'Find out what is wrong': ['doctor', 'info', 'monitor', 'debug'],
  'Consul-compatible commands': ['catalog', 'services register', 'services deregister'],
  Other: ['keygen', 'version', 'completion'],
}

const others = 'Other'

/** The names of commands by group, in the order of the groups. */
export function grouped(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>(Object.keys(commandGroups).map((group) => [group, []]))
  for (const name of names) groups.get(groupOf(name))?.push(name)
  return new Map([...groups].filter(([, inside]) => inside.length > 0))
}

/** The group that names a command in full, or else its first word. */
export function groupOf(name: string): string {
  return groupThatNames(name) ?? groupThatNames(name.split(' ')[0] ?? '') ?? others
}

function groupThatNames(text: string): string | undefined {
  return Object.entries(commandGroups).find(([, names]) => names.includes(text))?.[0]
}
