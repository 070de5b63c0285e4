interface Refused {
  readonly status: number
  readonly reason: string
}

/** What to do after a refusal of access control: it follows the words of the agent. '' for other refusals. */
export function stepAfter({ status, reason }: Refused, hasToken: boolean): string {
  if (reason.endsWith('ACL support disabled')) {
    return '. Start the agents with -acl to switch access control on.'
  }
  const isDenied = /\bPermission denied\b/.test(reason)
  if (status !== 403 || (!isDenied && !reason.includes('ACL not found'))) return ''
  const end = /[.!?]$/.test(reason) ? '' : '.'
  if (!hasToken)
    return `${end} This command sent no token: set SVCD_HTTP_TOKEN, or use -token-file.`
  return isDenied ? `${end}${whyStep(reason)}` : `${end} Check SVCD_HTTP_TOKEN and -token.`
}

/** The command that shows the rules behind a denial. */
function whyStep(reason: string): string {
  const denied = /lacks permission '([a-z]+:[a-z-]+)'(?: on ("(?:[^"\\]|\\.)*"))?/.exec(reason)
  if (denied === null) return ''
  const [, permission = '', name] = denied
  const argument = name === undefined ? '' : ` ${shellWord(textOf(name))}`
  return ` Run \`svcd acl why self ${permission}${argument}\` to see which rule decides.`
}

function textOf(quoted: string): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    return quoted
  }
}

function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
