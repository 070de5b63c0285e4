import { dirname, join } from 'node:path/posix'
import ts from 'typescript'

/** Who may import what. Paths are relative to the repository, with forward slashes. */
export interface LayerRules {
  readonly rooms: Readonly<Record<string, Room>>
  /** Folder of a room → the other folders of that room that its files may import; relative to src. */
  readonly folders?: Readonly<Record<string, readonly string[]>>
  /** Outside package → the paths (exact, or ending in `/`) that may import it. */
  readonly doors: Readonly<Record<string, readonly string[]>>
  /** As `doors`, for `import type`. */
  readonly typeDoors: Readonly<Record<string, readonly string[]>>
  readonly linesMax: number
}

export interface Room {
  /** Rooms, or single files of rooms (`client/client.ts`). */
  readonly imports: readonly string[]
  /** Built-in modules without `node:`; 'any' for all. */
  readonly builtins: readonly string[] | 'any'
}

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  /** The exports that are named; empty for a default, namespace or dynamic import. */
  readonly names: readonly string[]
}

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
  readonly reexports: boolean
  /** Whether it makes a URL of the name of a .ts file. */
  readonly tsUrl: boolean
}

/** Every way in which the sources break the rules, one sentence each; empty when they keep them. */
export function layerFaults(
  files: ReadonlyMap<string, string>,
  rules: LayerRules,
): readonly string[] {
  const sources = [...files].map(([path, text]) => parseSource(path, text))
  return [
    ...sources.flatMap((source) => fileFaults(source, rules)),
    ...sources.flatMap((source) =>
      source.imports.flatMap((imported) => importFaults(source, imported, files, rules)),
    ),
    ...cycleFaults(sources),
  ]
}

/** The outside packages that loading `path` loads with it, except through a dynamic import. */
export function packagesLoadedBy(path: string, files: ReadonlyMap<string, string>): Set<string> {
  const packages = new Set<string>()
  const seen = new Set<string>()
  const visit = (at: string): void => {
    if (seen.has(at)) return
    seen.add(at)
    for (const { specifier, typeOnly } of parseSource(at, files.get(at) ?? '', false).imports) {
      if (typeOnly) continue
      if (specifier.startsWith('.')) visit(join(dirname(at), specifier))
      else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier))
    }
  }
  visit(path)
  return packages
}

function parseSource(path: string, text: string, withDynamic = true): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023)
  const imports: Import[] = []
  let reexports = false
  let tsUrl = false
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({
        specifier: node.moduleSpecifier.text,
        typeOnly: isTypeOnly(node),
        names: namesOf(node),
      })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      reexports = true
    } else if (ts.isCallExpression(node) && isImporting(node.expression)) {
      const [target] = node.arguments
      if (withDynamic && target !== undefined && ts.isStringLiteral(target)) {
        imports.push({ specifier: target.text, typeOnly: false, names: [] })
      }
    } else if (ts.isNewExpression(node) && node.expression.getText(file) === 'URL') {
      const [target] = node.arguments ?? []
      tsUrl ||= target !== undefined && ts.isStringLiteral(target) && target.text.endsWith('.ts')
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { path, text, imports, reexports, tsUrl }
}

/** `import`, `require` or `createRequire(…)`, in front of their argument. */
function isImporting(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true
  if (ts.isIdentifier(callee)) return callee.text === 'require'
  return (
    ts.isCallExpression(callee) &&
    ts.isIdentifier(callee.expression) &&
    callee.expression.text === 'createRequire'
  )
}

function namesOf(node: ts.ImportDeclaration): readonly string[] {
  const named = node.importClause?.namedBindings
  if (named === undefined || !ts.isNamedImports(named)) return []
  return named.elements.map((element) => (element.propertyName ?? element.name).text)
}

function isTypeOnly(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause
  if (clause === undefined) return false
  if (clause.isTypeOnly) return true
  const named = clause.namedBindings
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly)
}

/** The functions of node:fs that open a file. */
const opening =
  /^(?:readFile|writeFile|appendFile|copyFile|cp|open|truncate|createRead|createWrite)/

function fileFaults(source: Source, rules: LayerRules): readonly string[] {
  const { path, text } = source
  const faults: string[] = []
  const lines = text.split('\n').length - 1
  if (lines > rules.linesMax) faults.push(`${path} has ${lines} lines; at most ${rules.linesMax}`)
  if (!path.startsWith('src/')) return faults
  if (path.endsWith('/index.ts')) faults.push(`${path} is a barrel; import the file that is meant`)
  if (source.reexports) {
    faults.push(`${path} exports from another file; import it where it is used`)
  }
  if (!Object.hasOwn(rules.rooms, roomOf(path))) faults.push(`${path} is in a room without a row`)
  // fs.readFile of an open database drops the process's POSIX locks on it when it closes the file.
  const opensFiles = source.imports.some(
    ({ specifier, names }) =>
      /^node:fs(?:\/|$)/.test(specifier) &&
      (names.length === 0 || names.some((n) => opening.test(n))),
  )
  if (opensFiles && /\.db(?:-wal|-shm)?['"`]/.test(text)) {
    faults.push(`${path} names a *.db file and opens files; only SQLite may open those`)
  }
  // The build has bundles in other places: the tests would be green and the program dead.
  if (source.tsUrl) {
    faults.push(
      `${path} names a .ts file in new URL(); base/package-files.ts finds it in the build, too`,
    )
  }
  return faults
}

function importFaults(
  source: Source,
  imported: Import,
  files: ReadonlyMap<string, string>,
  rules: LayerRules,
): readonly string[] {
  const { path } = source
  const { specifier } = imported
  if (specifier.startsWith('.')) return relativeFaults(path, specifier, files, rules)
  if (specifier.startsWith('node:')) return builtinFaults(path, specifier, rules)
  const name = packageOf(specifier)
  const doors = [
    ...(rules.doors[name] ?? []),
    ...(imported.typeOnly ? (rules.typeDoors[name] ?? []) : []),
  ]
  if (doors.some((door) => isUnder(path, door))) return []
  return [
    `${path} may not import ${name}${doors.length > 0 ? `; its door is ${doors.join(', ')}` : ''}`,
  ]
}

function relativeFaults(
  path: string,
  specifier: string,
  files: ReadonlyMap<string, string>,
  rules: LayerRules,
): readonly string[] {
  const target = join(dirname(path), specifier)
  if (!files.has(target)) {
    return /\.tsx?$/.test(target) || !path.startsWith('src/')
      ? []
      : [`${path} imports ${specifier}; name the .ts file`]
  }
  if (!path.startsWith('src/')) return []
  if (!target.startsWith('src/')) return [`${path} may not import ${target}`]
  const [from, to] = [roomOf(path), roomOf(target)]
  const allowed = rules.rooms[from]?.imports ?? []
  const fits =
    from === to
      ? isInFolderRule(path, target, rules)
      : allowed.some((entry) => isUnder(target, entryPath(entry)))
  return fits ? [] : [`${path} may not import ${target}: ${from} → ${to}`]
}

function isInFolderRule(path: string, target: string, { folders = {} }: LayerRules): boolean {
  const folder = Object.keys(folders).find((name) => isUnder(path, entryPath(name)))
  if (folder === undefined) return true
  return [folder, ...(folders[folder] ?? [])].some((name) => isUnder(target, entryPath(name)))
}

function builtinFaults(path: string, specifier: string, rules: LayerRules): readonly string[] {
  if (!path.startsWith('src/')) return []
  const name = specifier.slice('node:'.length)
  const allowed = rules.rooms[roomOf(path)]?.builtins ?? []
  const fits = allowed === 'any' || allowed.includes(name)
  return fits ? [] : [`${path} may not import ${specifier}`]
}

function cycleFaults(sources: readonly Source[]): readonly string[] {
  const graph = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => join(dirname(path), specifier)),
    ]),
  )
  const faults: string[] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): void => {
    const start = trail.indexOf(path)
    if (start !== -1) {
      faults.push(`a cycle: ${[...trail.slice(start), path].join(' → ')}`)
      return
    }
    if (done.has(path)) return
    trail.push(path)
    for (const next of graph.get(path) ?? []) visit(next)
    trail.pop()
    done.add(path)
  }
  for (const path of graph.keys()) visit(path)
  return faults
}

function entryPath(entry: string): string {
  return /\.tsx?$/.test(entry) ? `src/${entry}` : `src/${entry}/`
}

function isUnder(path: string, door: string): boolean {
  return door.endsWith('/') ? path.startsWith(door) : path === door
}

function roomOf(path: string): string {
  const [, room = '', ...rest] = path.split('/')
  return rest.length > 0 ? room : ''
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}
