import type { Viewer } from '../../../access/viewer.ts'
import { svcdError } from '../../../base/errors.ts'
import type { Check, Instance } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { judge } from '../../../health/judge.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Answer } from '../../../http/answer.ts'
import { ofNode } from '../catalog/questions.ts'
import type { CatalogContext, Source } from '../catalog/questions.ts'
import type { Question } from '../../../http/renderer.ts'
import { checkJson, instanceJson } from '../../../http/encode.ts'
import { checkFields, filterOf, instanceFields } from '../../../http/filters.ts'
import { flagParameter, nodeMetaFilter, tagFilter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'

// What the reads of health/ ask: routes answer it once, streams at every change.

type CatalogQuestion = Question<CatalogReader>

/** health/service: instances with their checks. */
export function serviceHealth(
  source: Source,
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): CatalogQuestion {
  const { datacenter } = identity
  const onlyPassing = flagParameter(parameters, 'passing')
  const hasTags = tagFilter(parameters)
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, instanceFields)
  const rowOf = (instance: Instance, viewer: Viewer): object | undefined => {
    if (!viewer.seesInstance(instance.node.name, instance.service.name)) return undefined
    if (onlyPassing && !judge(instance, { onlyPassing: false }).passing) return undefined
    if (hasTags?.(instance.service.tags) === false) return undefined
    if (hasMeta?.(instance.node.meta) === false) return undefined
    const row = instanceJson(instance, datacenter)
    return filter?.(row) === false ? undefined : row
  }
  return {
    state,
    subject: source.subject,
    about: source.about,
    answer: (catalog, viewer) => ({
      kind: 'list',
      rows: rowsOf(source.instances(catalog), (instance) => rowOf(instance, viewer)),
    }),
  }
}

/** health/node: the checks of a node and of all that is on it. */
export function nodeChecks(
  asked: string,
  parameters: Parameters,
  context: CatalogContext,
): CatalogQuestion {
  required(asked, 'node name')
  const rowOf = checkRow(parameters)
  const node = ofNode(context, asked, noRows)
  return {
    ...node,
    answer: (catalog, viewer) => ({
      kind: 'list',
      rows: rowsOf(catalog.pages.checksOfNode(node.about.name), seen(viewer, rowOf)),
    }),
  }
}

/** health/checks: the checks of a service, on all nodes. */
export function serviceChecks(
  name: string,
  parameters: Parameters,
  { catalog: state }: CatalogContext,
): CatalogQuestion {
  required(name, 'service name')
  const rowOf = checkRow(parameters)
  return {
    state,
    subject: subject.service(name),
    about: { resource: 'service', name, missing: noRows },
    answer: (catalog, viewer) => ({
      kind: 'list',
      rows: rowsOf(
        catalog.pages.checksOfService(name),
        seen(viewer, withMeta(catalog, parameters, rowOf)),
      ),
    }),
  }
}

/** health/state: all checks of one state, or of `any`. A state that no check can be in has none. */
export function checksInState(
  status: string,
  parameters: Parameters,
  { catalog: state }: CatalogContext,
): CatalogQuestion {
  required(status, 'check state')
  const rowOf = checkRow(parameters)
  return {
    state,
    subject: subject.checks,
    answer: (catalog, viewer) => {
      if (!isState(status)) return noRows
      const rowIf = seen(viewer, withMeta(catalog, parameters, rowOf))
      const rows = rowsOf(catalog.pages.checks(status), rowIf)
      return { kind: 'list', rows }
    },
  }
}

function isState(state: string): state is 'any' | 'passing' | 'warning' | 'critical' {
  return state === 'any' || state === 'passing' || state === 'warning' || state === 'critical'
}

function required(value: string, what: string): void {
  if (value !== '') return
  throw what === 'service name'
    ? svcdError('missing-service-name', {})
    : svcdError('missing-name', { what })
}

const noRows: Answer = { kind: 'list', rows: [] }

/** Only the checks that the viewer sees. */
function seen(
  viewer: Viewer,
  rowOf: (check: Check) => object | undefined,
): (check: Check) => object | undefined {
  return (check) => (viewer.seesCheck(check.node, check.serviceName) ? rowOf(check) : undefined)
}

function checkRow(parameters: Parameters): (check: Check) => object | undefined {
  const filter = filterOf(parameters, checkFields)
  return (check) => {
    const row = checkJson(check)
    return filter?.(row) === false ? undefined : row
  }
}

/** Only the checks of nodes whose meta fits. */
function withMeta(
  catalog: CatalogReader,
  parameters: Parameters,
  rowOf: (check: Check) => object | undefined,
): (check: Check) => object | undefined {
  const hasMeta = nodeMetaFilter(parameters)
  if (hasMeta === undefined) return rowOf
  // They come in order of nodes.
  let last: { readonly node: string; readonly isKept: boolean } | undefined
  return (check) => {
    const { node } = check
    if (last?.node !== node) last = { node, isKept: hasMeta(catalog.node(node)?.meta ?? {}) }
    return last.isKept ? rowOf(check) : undefined
  }
}
