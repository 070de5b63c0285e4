import t from 'tap'
import { parseExactly } from '../../src/definition/exact-json.ts'

const parse = parseExactly('flags', 'index')

t.test('long numbers of the fields stay exact, and all else is as JSON.parse has it', async (t) => {
  const rows: readonly (readonly [text: string, value: unknown])[] = [
    ['{"Flags":18446744073709551615}', { Flags: { exact: '18446744073709551615' } }],
    ['{"fLAGS" : \n 9007199254740993 , "b":1}', { fLAGS: { exact: '9007199254740993' }, b: 1 }],
    [
      '[{"Index":1234567890123456},[1234567890123456]]',
      [{ Index: { exact: '1234567890123456' } }, [1234567890123456]],
    ],
    ['{"Flags":123456789012345}', { Flags: 123456789012345 }],
    ['{"Flags":1234567890123456.5}', { Flags: 1234567890123456.5 }],
    ['{"Flags":1234567890123456e2}', { Flags: 1234567890123456e2 }],
    ['{"Flags":-1234567890123456}', { Flags: -1234567890123456 }],
    ['{"Other":1234567890123456}', { Other: 1234567890123456 }],
    // What looks like a field in a string is none.
    [String.raw`{"a":"\"Flags\":18446744073709551615"}`, { a: '"Flags":18446744073709551615' }],
    [
      String.raw`{"a":"\\","Flags":18446744073709551615}`,
      { a: '\\', Flags: { exact: '18446744073709551615' } },
    ],
    [String.raw`["Flags","18446744073709551615"]`, ['Flags', '18446744073709551615']],
  ]
  for (const [text, value] of rows) t.strictSame(parse(text), value, text)
  t.throws(() => parse('{"Flags":18446744073709551615'), SyntaxError)
})
