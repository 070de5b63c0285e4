/** What readers of sessions may wait for or cache by. Names of nodes are lower-cased here. */
export const sessionSubject = {
  all: 'sessions',
  session: (id: string): string => `session:${id}`,
  node: (name: string): string => `sessions-of:${name.toLowerCase()}`,
} as const
