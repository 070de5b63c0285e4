/** A text as one word of a POSIX shell; controls and invisible characters in the form that Bash reads. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  if (!/[\p{C}\p{Zl}\p{Zp}]/u.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`
  const escaped = text
    .replaceAll(/[\\']/g, String.raw`\$&`)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
      const code = (char.codePointAt(0) ?? 0).toString(16)
      return String.raw`\U${code.padStart(8, '0')}`
    })
  return `$'${escaped}'`
}
