/** What readers of events may wait for: all of them, or those of one name. */
export const eventSubject = {
  all: 'all',
  named: (name: string): string => `name:${name}`,
} as const
