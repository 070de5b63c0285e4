// Who may call whom, as the pages show and send it.

/** As the API writes it. */
export interface IntentionRow {
  readonly ID: string
  readonly SourceNS: string
  readonly SourceName: string
  readonly DestinationNS: string
  readonly DestinationName: string
  readonly Action: string
  readonly Description: string
  readonly Meta: Readonly<Record<string, string>>
  readonly Precedence: number
  readonly CreatedAt: string
  readonly UpdatedAt: string
  readonly ModifyIndex: number
}

/** What a form has. `meta`: a pair per line, `key=value`. */
export interface IntentionDraft {
  readonly source: string
  readonly destination: string
  readonly action: string
  readonly description: string
  readonly meta: string
}

export const emptyDraft: IntentionDraft = {
  source: '',
  destination: '',
  action: 'allow',
  description: '',
  meta: '',
}

/** `web`, or `eng/web` in another namespace than the default one. */
export function sourceOf({ SourceNS, SourceName }: IntentionRow): string {
  return SourceNS === 'default' ? SourceName : `${SourceNS}/${SourceName}`
}

export function destinationOf({ DestinationNS, DestinationName }: IntentionRow): string {
  return DestinationNS === 'default' ? DestinationName : `${DestinationNS}/${DestinationName}`
}

export function pairText(row: IntentionRow): string {
  return `${sourceOf(row)} → ${destinationOf(row)}`
}

export function draftOf(row: IntentionRow): IntentionDraft {
  return {
    source: sourceOf(row),
    destination: destinationOf(row),
    action: row.Action,
    description: row.Description,
    meta: Object.entries(row.Meta)
      .map((pair) => pair.join('='))
      .join('\n'),
  }
}

/** The body of a request, or the first line of metadata that is not a pair. */
export function bodyOf(
  draft: IntentionDraft,
): { readonly body: string } | { readonly wrong: string } {
  const lines = draft.meta.split('\n').filter((line) => line.trim() !== '')
  const wrong = lines.find((line) => line.indexOf('=') < 1)
  if (wrong !== undefined) return { wrong }
  const Meta = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf('=')).trim(),
      line.slice(line.indexOf('=') + 1),
    ]),
  )
  const [from, to] = [partsOf(draft.source), partsOf(draft.destination)]
  return {
    body: JSON.stringify({
      SourceNS: from.namespace,
      SourceName: from.name,
      DestinationNS: to.namespace,
      DestinationName: to.name,
      Action: draft.action,
      Description: draft.description,
      Meta,
    }),
  }
}

/** The name that rights are about. */
export function serviceOf(text: string): string {
  return partsOf(text).name
}

function partsOf(text: string): { readonly namespace: string; readonly name: string } {
  const slash = text.indexOf('/')
  return { namespace: text.slice(0, Math.max(0, slash)), name: text.slice(slash + 1).trim() }
}

/** A command that does the same as a form. */
export function commandOf({ source, destination, action }: IntentionDraft): string {
  const deny = action === 'deny' ? ' -deny' : ''
  return `svcd intention create -replace${deny} ${shellWord(source)} ${shellWord(destination)}`
}

function shellWord(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
