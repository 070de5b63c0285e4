/** What readers of prepared queries may wait for or cache by. Names are lower-cased here. */
export const querySubject = {
  all: 'queries',
  one: (id: string): string => `query:${id.toLowerCase()}`,
  /** The query with this name. */
  name: (name: string): string => `query-name:${name.toLowerCase()}`,
  /** The template with this name. */
  template: (name: string): string => `query-template:${name.toLowerCase()}`,
  /** Names that end with a dot and this one. */
  below: (name: string): string => `query-below:${name.toLowerCase()}`,
} as const

/** The names that `name` is below, as `b.c` and `c` of `a.b.c`. Only names that fit into DNS count. */
export function* namesAbove(name: string): Generator<string, void> {
  if (name.length > 255) return
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    if (dot + 1 < name.length) yield name.slice(dot + 1)
  }
}
