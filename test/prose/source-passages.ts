import ts from 'typescript'
import type { Passage } from './texts.ts'

/** The comments and the texts (literals with at least three words) of a TypeScript file. */
export function sourcePassages(path: string, source: string): readonly Passage[] {
  const passages: Passage[] = []
  let block: Passage | undefined
  const flush = (): void => {
    if (block !== undefined) passages.push(block)
    block = undefined
  }
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
        passages.push({ place: `${path}:${lineOf(node.getStart())}`, text })
      }
    }
    node.getChildren().forEach(visit)
  }
  visit(file)

  // Line comments on consecutive lines are one passage.
  let lastLine = -1
  for (const range of [...comments.values()].toSorted((a, b) => a.pos - b.pos)) {
    const line = lineOf(range.pos)
    const text = commentText(source.slice(range.pos, range.end))
    if (block !== undefined && line === lastLine + 1) {
      block = { place: block.place, text: `${block.text} ${text}` }
    } else {
      flush()
      block = { place: `${path}:${line}`, text }
    }
    lastLine = lineOf(range.end)
  }
  flush()
  return passages
}

function commentText(comment: string): string {
  return comment
    .replaceAll(/^\/\*\*?|\*\/$|^\/\//g, '')
    .replaceAll(/\n\s*\*/g, ' ')
    .replaceAll(/`[^`]*`/g, 'CODE')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
