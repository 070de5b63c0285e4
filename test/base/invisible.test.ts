import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { invisibleCharacter, visible, visibleJson, visibleLines } from '../../src/base/invisible.ts'

// Text, the first character that no name may hold, and the text as a terminal is given it.
const cases: readonly (readonly [string, string | undefined, string])[] = [
  ['web-1', undefined, 'web-1'],
  ['größe 東京 مرحبا', undefined, 'größe 東京 مرحبا'],
  ['a\u0000b', 'U+0000', 'a\\u{0}b'],
  ['a\u001b[2Jb', 'U+001B', 'a\\u{1b}[2Jb'],
  ['a\u007fb', 'U+007F', 'a\\u{7f}b'],
  ['a\u009b31mb', 'U+009B', 'a\\u{9b}31mb'],
  ['a\u0085b', 'U+0085', 'a\\u{85}b'],
  ['a\u2028b\u2029', 'U+2028', 'a\\u{2028}b\\u{2029}'],
  ['a\u202eb\u202c', 'U+202E', 'a\\u{202e}b\\u{202c}'],
  ['a\u2066b\u2069', 'U+2066', 'a\\u{2066}b\\u{2069}'],
  ['a\u200eb\u061c', 'U+200E', 'a\\u{200e}b\\u{61c}'],
  ['a\u200bb', 'U+200B', 'a\\u{200b}b'],
  ['a\u200db', 'U+200D', 'a\\u{200d}b'],
  ['\ufeffa', 'U+FEFF', '\\u{feff}a'],
  ['a\u00adb', 'U+00AD', 'a\\u{ad}b'],
  ['a\u2060b', 'U+2060', 'a\\u{2060}b'],
  ['a\u3164b', 'U+3164', 'a\\u{3164}b'],
  ['a\u{e0041}b', 'U+E0041', 'a\\u{e0041}b'],
  ['a\ufff9b', 'U+FFF9', 'a\\u{fff9}b'],
  ['a\ufe0fb', 'U+FE0F', 'a\\u{fe0f}b'],
  // An emoji's variation selector is shown with it; in a name it would make two that look alike.
  ['\u26a0\ufe0f disk', 'U+FE0F', '\u26a0\ufe0f disk'],
]

t.test('what no name may hold is found, and is written out on a terminal', async (t) => {
  for (const [text, character, shown] of cases) {
    t.equal(invisibleCharacter(text), character, shown)
    t.equal(visible(text), shown)
    t.equal(visible(shown), shown, 'what is written out stays as it is')
    t.equal(JSON.parse(visibleJson(JSON.stringify(text))), text, 'JSON means the same')
    t.notMatch(visibleJson(JSON.stringify(text)), /[\u007f-\u009f\u202e\u2028]/)
  }
})

t.test('text of many lines keeps its lines and tabs, and nothing else', async (t) => {
  t.equal(visibleLines('a\tb\nc\u001b[0m\r\n'), 'a\tb\nc\\u{1b}[0m\\u{d}\n')
})

t.test('an error that repeats what it was given writes it out', async (t) => {
  t.equal(
    svcdError('unknown-node', { node: 'a\u202eb\u009b' }).message,
    'Unknown node "a\\u{202e}b\\u{9b}". Register it with its Address first.',
  )
})
