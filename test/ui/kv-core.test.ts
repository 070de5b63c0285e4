import { execFileSync } from 'node:child_process'
import t from 'tap'
import { diffLines, foldSame } from '../../src/ui/core/diff.ts'
import { indentedJson, parseAnswer } from '../../src/ui/core/json.ts'
import { crumbsOf, folderOf, keysWith, listedKeys, parentOf } from '../../src/ui/core/key.ts'
import { matchPath, pathTo } from '../../src/ui/core/route.ts'
import { endsBy, nanosecondsText } from '../../src/ui/core/session.ts'
import { shellWord } from '../../src/ui/core/shell-word.ts'
import {
  base64Of,
  bytesOfBase64,
  bytesOfTyped,
  flagsFault,
  formatOf,
  typedOf,
} from '../../src/ui/core/value.ts'

// The pure parts of the pages of keys, sessions and queries.

const bytes = (text: string) => new TextEncoder().encode(text)

t.test('slashes make folders', async (t) => {
  t.strictSame(['a', 'a/b', 'a/', '/a', 'a//b'].map(folderOf), ['', 'a/', 'a/', '/', 'a//'])
  t.strictSame(['a/', 'a/b/', '/', 'a//'].map(parentOf), ['', 'a/', '', 'a/'])
  t.strictSame(
    crumbsOf('a//b/').map(({ folder }) => folder),
    ['a/', 'a//', 'a//b/'],
  )
  t.strictSame(listedKeys('a/', ['a/', 'a/b', 'a/c/']), [
    { key: 'a/c/', name: 'c/', isFolder: true },
    { key: 'a/', name: 'a/', isFolder: false },
    { key: 'a/b', name: 'b', isFolder: false },
  ])
})

t.test('a search looks for all words below the prefix, in any case', async (t) => {
  const keys = ['config/DB/port', 'config/web/port', 'config/db/host']
  t.strictSame(keysWith('db PORT', keys, 'config/'), ['config/DB/port'])
  t.strictSame(keysWith('config', keys, 'config/'), [], 'the prefix itself is not looked at')
})

t.test('a path has any name, and gives it back', async (t) => {
  for (const name of ['.', '..', '%2E', '%2E%2E', '%252E', '%2e', 'a/../b', '%', '\u202e', '//']) {
    const url = new URL(pathTo('kv', 'key', name), 'http://host')
    const path = url.pathname.replace(/^\/ui\//, '')
    t.strictSame(matchPath('kv/key/:key', path), { key: name }, name)
  }
})

t.test('bytes are shown as text only if a text box gives back the same bytes', async (t) => {
  t.equal(formatOf(bytes('hello\n\tworld ☃')), 'text')
  t.equal(formatOf(bytes('{"a": 1}')), 'json')
  t.equal(formatOf(bytes('{a: 1}')), 'text')
  for (const wrong of ['a\r\nb', 'a\u0000b', '\u001b[31m']) {
    t.equal(formatOf(bytes(wrong)), 'base64', JSON.stringify(wrong))
  }
  t.equal(formatOf(Uint8Array.of(0xff, 0xfe)), 'base64')
  t.equal(formatOf(bytes('\ufeffbom')), 'text')
  for (const value of [
    bytes('\ufeffbom ☃'),
    Uint8Array.from({ length: 20_000 }, (_none, at) => at),
  ]) {
    const format = formatOf(value)
    const typed = bytesOfTyped(typedOf(value, format), format)
    t.strictSame(typed, { kind: 'bytes', bytes: value }, `${format} comes back`)
    t.strictSame(bytesOfBase64(base64Of(value)), value)
  }
  t.equal(bytesOfTyped('a'.repeat(512 * 1024 + 1), 'text').kind, 'fault')
  t.equal(bytesOfTyped('%%%', 'base64').kind, 'fault')
})

t.test('flags go from 0 to 2^64-1, exactly', async (t) => {
  for (const good of ['0', '42', '18446744073709551615']) t.equal(flagsFault(good), undefined)
  for (const bad of ['', '-1', '1.5', '18446744073709551616', 'x'])
    t.type(flagsFault(bad), 'string')
  t.strictSame(parseAnswer('[{"Key":"\\"Flags\\":1","Flags":18446744073709551615}]'), [
    { Key: '"Flags":1', Flags: '18446744073709551615' },
  ])
})

t.test('formatting JSON changes only the space between its parts', async (t) => {
  const text = '{"a":1.0,"a":12345678901234567890,"b":[ ],"c":{"d":"x, {y}: \\"z\\"","e":[1,[2]]}}'
  const lines = indentedJson(text)
  t.strictSame(JSON.parse(lines), JSON.parse(text))
  t.match(lines, '"a": 1.0,\n  "a": 12345678901234567890,\n  "b": [],')
  t.match(lines, String.raw`"d": "x, {y}: \"z\""`)
  t.equal(indentedJson(lines), lines)
})

t.test('a difference keeps the lines that are common, and folds what is far away', async (t) => {
  const before = ['a', 'b', 'c', 'd']
  const after = ['a', 'x', 'c', 'e', 'd']
  const lines = diffLines(before.join('\n'), after.join('\n'))
  t.equal(
    lines
      .map(({ kind, text }) => `${{ same: ' ', removed: '-', added: '+' }[kind]}${text}`)
      .join(''),
    ' a-b+x c+e d',
  )
  const long = Array.from({ length: 50 }, (_none, at) => `line ${at}`)
  const changed = long.with(25, 'changed')
  const folded = foldSame(diffLines(long.join('\n'), changed.join('\n')))
  t.strictSame(
    folded.filter(({ kind }) => kind === 'folded').map(({ text }) => text),
    ['22 equal lines', '21 equal lines'],
  )
  t.equal(folded.length, 10)
})

t.test('a copied command has the key as one word of the shell', async (t) => {
  for (const word of ['a/b', "it's", '$(id) `x` "y"', ' ', '', 'a\u202eb\\c', "x\u200b'y"]) {
    const out = execFileSync('bash', ['-c', `printf %s ${shellWord(word)}`], {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    })
    t.equal(out.toString(), word, JSON.stringify(word))
  }
})

t.test('what ends a session is said in words', async (t) => {
  const session = {
    ID: '',
    Name: '',
    Node: 'n1',
    LockDelay: 15e9,
    Behavior: 'release',
    TTL: '15s',
    NodeChecks: ['serfHealth'],
    ServiceChecks: null,
    CreateIndex: 1,
    ModifyIndex: 1,
  }
  t.equal(endsBy(session), 'without a renewal in 15s, or when serfHealth is critical')
  t.equal(endsBy({ ...session, TTL: '0s', NodeChecks: [] }), 'when it is destroyed')
  t.strictSame([0, 1e6, 1.5e9, 15e9].map(nanosecondsText), ['none', '1 ms', '1.5 s', '15 s'])
})
