import { ZoneFileProblem, parseInteger, quote } from './fields.ts'

const generatedMax = 65_536

/** The numbers of BIND's `$GENERATE START-STOP[/STEP]`. */
export function generateRange(text: string): readonly number[] {
  const parts = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text)
  const [start, stop, step] = [parts?.[1] ?? '', parts?.[2] ?? '', parts?.[3] ?? '1'].map((part) =>
    part === '' ? -1 : parseInteger(part, 0x7fff_ffff),
  ) as [number, number, number]
  if (start < 0 || stop < start || step < 1) {
    throw new ZoneFileProblem(`${quote(text)} is not a valid range, such as 1-254 or 0-100/10`)
  }
  const count = Math.floor((stop - start) / step) + 1
  if (count > generatedMax) {
    throw new ZoneFileProblem(
      `$GENERATE would create ${count} records; the limit is ${generatedMax}`,
    )
  }
  return Array.from({ length: count }, (_, at) => start + at * step)
}

/** `$` is the number, `${OFFSET,WIDTH,BASE}` a formatted number, `\$` and `$$` a dollar sign. */
export function substitute(text: string, number: number): string {
  return text.replaceAll(
    /\\\$|\$\$|\$(?:\{(-?\d{1,10})(?:,(\d{1,3})(?:,([doxX]))?)?\})?/g,
    (match, offset?: string, width?: string, base?: string) => {
      if (match === '\\$' || match === '$$') return '\\$'
      const value = number + Number(offset ?? 0)
      if (value < 0)
        throw new ZoneFileProblem(`${quote(match)} is negative for the number ${number}`)
      const radix = base === 'o' ? 8 : base === 'x' || base === 'X' ? 16 : 10
      const digits = value.toString(radix).padStart(Number(width ?? 0), '0')
      return base === 'X' ? digits.toUpperCase() : digits
    },
  )
}
