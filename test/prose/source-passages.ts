import ts from 'typescript'
import { markdownPassages, type Passage } from './texts.ts'

/** The texts of a source. */
export interface SourcePassages {
  readonly comments: readonly Passage[]
  /** With at least three words: messages, but also SQL and pages. */
  readonly literals: readonly Passage[]
}

/** The comments and the literals of a TypeScript file. */
export function sourcePassages(path: string, source: string): SourcePassages {
  const passages: Passage[] = []
  const literals: Passage[] = []
  const blocks: { readonly line: number; text: string }[] = []
  const lineOf = (at: number): number => file.getLineAndCharacterOfPosition(at).line + 1
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true)

  const comments = new Map<number, ts.CommentRange>()
  const visit = (node: ts.Node): void => {
    for (const range of [
      ...(ts.getLeadingCommentRanges(source, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(source, node.getEnd()) ?? []),
    ]) {
      comments.set(range.pos, range)
    }
    if (
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)
    ) {
      const text = node.text.replaceAll(/\s+/g, ' ').trim()
      if (text.split(' ').length > 2) {
        literals.push({ place: `${path}:${lineOf(node.getStart())}`, text })
      }
    }
    node.getChildren().forEach(visit)
  }
  visit(file)

  // Line comments on consecutive lines are one text.
  let lastLine = -1
  for (const range of [...comments.values()].toSorted((a, b) => a.pos - b.pos)) {
    const line = lineOf(range.pos)
    const text = commentText(source.slice(range.pos, range.end))
    const last = blocks.at(-1)
    if (last !== undefined && line === lastLine + 1) last.text += `\n${text}`
    else blocks.push({ line, text })
    lastLine = lineOf(range.end)
  }
  for (const { line, text } of blocks) passages.push(...markdownPassages(path, text, line))
  return { comments: passages, literals }
}

/** A comment as Markdown, without its marks; examples, which are indented, are left out. */
function commentText(comment: string): string {
  return comment
    .replaceAll(/^\/\*\*? ?| ?\*\/$|^\/\/ ?/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .map((line) => (/^ {4}/.test(line) ? '' : line))
    .join('\n')
}
