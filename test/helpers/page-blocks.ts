/** A fenced block of a page. */
export interface Block {
  readonly language: string
  /** What stands behind the language: the file that a reader saves it as. */
  readonly file: string
  readonly text: string
}

export function blocksOf(markdown: string): readonly Block[] {
  const found = markdown.matchAll(/^```(\w*) *(\S*)\n([^]*?)^```$/gm)
  return [...found].map(([, language = '', file = '', text = '']) => ({ language, file, text }))
}

export interface Example {
  readonly command: string
  readonly output: string
}

/** The commands of a console block and what it says they print. */
export function examplesOf({ text }: Block): readonly Example[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const at = part.indexOf('\n')
      return { command: part.slice(0, at), output: part.slice(at + 1) }
    })
}

/** Without what differs from run to run: numbers of ports, times, UUIDs, width of columns, order of lines. */
export function shape(output: string): readonly string[] {
  return output
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g, 'UUID')
        .replaceAll(/\b\d{4,5}\b/g, 'PORT')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '')
    .toSorted()
}
