import { patterns, maxSentenceWords } from './patterns.ts'

/** A piece of running text and where it stands. */
export interface Passage {
  readonly place: string
  readonly text: string
}

/** What is wrong with a sentence. */
export interface Finding {
  readonly place: string
  readonly sentence: string
  readonly why: string
}

/** The paragraphs, list items and table cells of a Markdown page, without code and link targets. */
export function markdownPassages(
  page: string,
  markdown: string,
  firstLine = 1,
): readonly Passage[] {
  const passages: Passage[] = []
  let lines: string[] = []
  let startLine = 0
  const flush = (): void => {
    const text = plain(lines.join(' '))
    if (text !== '') passages.push({ place: `${page}:${startLine}`, text })
    lines = []
  }
  let isCode = false
  for (const [index, line] of markdown.split('\n').entries()) {
    if (/^\s*```/.test(line)) {
      flush()
      isCode = !isCode
      continue
    }
    if (isCode) continue
    if (line.startsWith('|')) {
      flush()
      for (const cell of line.split(/(?<!\\)\|/)) {
        const text = plain(cell)
        if (text !== '') passages.push({ place: `${page}:${index + firstLine}`, text })
      }
      continue
    }
    if (line.trim() === '' || /^\s*(?:[-*]|\d+\.|#+|>)\s/.test(line)) flush()
    if (lines.length === 0) startLine = index + firstLine
    lines.push(line.trim())
  }
  flush()
  return passages
}

/** Without code, link targets, marks of lists and headings. Code becomes one word. */
function plain(text: string): string {
  return text
    .replaceAll(/``[^`]*``|`[^`]*`/g, 'CODE')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/[[\]*_]/g, '')
    .replace(/^\s*(?:[-*]|\d+\.|#+|>)\s+/, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** Sentences end with a mark and white space; an abbreviation is followed by a small letter. */
export function sentences(text: string): readonly string[] {
  return text.split(/(?<=[.!?:])\s+(?=["“(A-Z]|svcd\b)/)
}

export function findings(
  passages: readonly Passage[],
  judge: (sentence: string) => readonly string[] = complaints,
): readonly Finding[] {
  return passages.flatMap(({ place, text }) =>
    sentences(text).flatMap((sentence) => judge(sentence).map((why) => ({ place, sentence, why }))),
  )
}

/** The patterns and the length of a sentence. */
export function complaints(sentence: string): readonly string[] {
  const found = [...patternComplaints(sentence)]
  const words = sentence.split(/\s+/).filter((word) => /[a-z]/.test(word)).length
  if (words > maxSentenceWords) found.push(`${words} words: make two sentences of it`)
  return found
}

export function patternComplaints(sentence: string): readonly string[] {
  return patterns.flatMap(({ find, instead }) =>
    [...sentence.matchAll(find)].map(([words]) => `"${words.trim()}": write ${instead}`),
  )
}
