/** Log lines with a rate limit. Lines beyond the limit are counted instead of written. */
export interface WarningLines {
  write(kind: WarningKind, line: () => { readonly fields: object; readonly message: string }): void
}

export interface WarningKind {
  readonly level: 'warn'
  readonly rest: (count: number, seconds: number) => string
}
