import type { QueryEntry } from '../../../client/rows.ts'
import { visibleText } from '../../core/text.ts'

/** The name of a query; one without a name goes by its ID. */
export function queryTitle({ ID, Name, Template }: QueryEntry): string {
  if (Name !== '') return Name
  return Template.Type === '' ? ID : 'any name (template)'
}

export function isTemplate({ Template }: QueryEntry): boolean {
  return Template.Type !== ''
}

/** Which instances a query chooses, in words. */
export function choosesText(query: QueryEntry): string {
  const { OnlyPassing, Tags, Near } = query.Service
  const parts = [
    isTemplate(query) ? 'a template for names that begin with its own' : '',
    OnlyPassing ? 'only passing instances' : 'instances that are not critical',
    ...(Tags ?? []).map((tag) =>
      tag.startsWith('!') ? `without the tag ${tag.slice(1)}` : `with the tag ${tag}`,
    ),
    Near === '' ? '' : `those near ${Near} first`,
  ]
  return visibleText(parts.filter((text) => text !== '').join(', '))
}
