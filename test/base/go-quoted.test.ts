import t from 'tap'
import { goQuoted } from '../../src/base/go-quoted.ts'

t.test('texts are quoted as Go quotes them with %q', async (t) => {
  // What Go 1.19 printed.
  const rows: readonly (readonly [text: string, quoted: string])[] = [
    ['', '""'],
    ['a/b c', '"a/b c"'],
    ['é😀', '"é😀"'],
    ['"\\', String.raw`"\"\\"`],
    ['\n\r\t\v\f\b\u0007', String.raw`"\n\r\t\v\f\b\a"`],
    ['\u0001\u007f', String.raw`"\x01\x7f"`],
    ['\u0085\u00a0\u00ad\u2028\u200b\ufeff', String.raw`"\u0085\u00a0\u00ad\u2028\u200b\ufeff"`],
    ['\u{e0001}', String.raw`"\U000e0001"`],
  ]
  for (const [text, quoted] of rows) t.equal(goQuoted(text), quoted)
})
