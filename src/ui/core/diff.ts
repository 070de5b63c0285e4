export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Above this number of pairs of lines, the middle is shown as replaced. */
const pairsMax = 4_000_000

/** How one text becomes another, line by line: the longest common sequence stays. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [from, to] = [before.split('\n'), after.split('\n')]
  let head = 0
  while (head < from.length && head < to.length && from[head] === to[head]) head++
  let tail = 0
  const restMax = Math.min(from.length, to.length) - head
  while (tail < restMax && from.at(-1 - tail) === to.at(-1 - tail)) tail++
  return [
    ...linesOf('same', from.slice(0, head)),
    ...middle(from.slice(head, from.length - tail), to.slice(head, to.length - tail)),
    ...linesOf('same', from.slice(from.length - tail)),
  ]
}

function linesOf(kind: DiffLine['kind'], texts: readonly string[]): readonly DiffLine[] {
  return texts.map((text) => ({ kind, text }))
}

function middle(from: readonly string[], to: readonly string[]): readonly DiffLine[] {
  if (from.length * to.length > pairsMax) {
    return [...linesOf('removed', from), ...linesOf('added', to)]
  }
  const width = to.length + 1
  const common = commonLengths(from, to)
  const lines: DiffLine[] = []
  let [a, b] = [0, 0]
  while (a < from.length && b < to.length) {
    const [text = '', other = ''] = [from[a], to[b]]
    if (text === other) {
      lines.push({ kind: 'same', text })
      a++
      b++
    } else if ((common[(a + 1) * width + b] ?? 0) >= (common[a * width + b + 1] ?? 0)) {
      lines.push({ kind: 'removed', text })
      a++
    } else {
      lines.push({ kind: 'added', text: other })
      b++
    }
  }
  return [...lines, ...linesOf('removed', from.slice(a)), ...linesOf('added', to.slice(b))]
}

/** The length of the longest common sequence of the ends from each pair of lines. */
function commonLengths(from: readonly string[], to: readonly string[]): Uint32Array {
  const width = to.length + 1
  const common = new Uint32Array((from.length + 1) * width)
  for (let a = from.length - 1; a >= 0; a--) {
    for (let b = to.length - 1; b >= 0; b--) {
      const [down = 0, right = 0] = [common[(a + 1) * width + b], common[a * width + b + 1]]
      const both = common[(a + 1) * width + b + 1] ?? 0
      common[a * width + b] = from[a] === to[b] ? both + 1 : Math.max(down, right)
    }
  }
  return common
}

export interface FoldedLine {
  readonly kind: DiffLine['kind'] | 'folded'
  readonly text: string
}

/** Leaves out equal lines that are far from every difference. */
export function foldSame(lines: readonly DiffLine[], context = 3): readonly FoldedLine[] {
  const near = new Set<number>()
  for (const [at, { kind }] of lines.entries()) {
    if (kind === 'same') continue
    for (let other = at - context; other <= at + context; other++) near.add(other)
  }
  const folded: FoldedLine[] = []
  let hidden = 0
  const flush = (): void => {
    if (hidden > 0) folded.push({ kind: 'folded', text: `${hidden} equal lines` })
    hidden = 0
  }
  for (const [at, line] of lines.entries()) {
    if (near.has(at)) {
      flush()
      folded.push(line)
    } else hidden++
  }
  flush()
  return folded
}
