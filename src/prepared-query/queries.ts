import { isTemplate } from '../state/query/model.ts'
import type { PreparedQuery } from '../state/query/model.ts'
import type { QueryReader } from '../state/query/reader.ts'
import { TemplateError } from './template-error.ts'
import { compileQuery } from './template.ts'
import type { Render } from './template.ts'

/** What a name finds, rendered. */
export type Found =
  /** There is nothing. */
  | { readonly kind: 'nothing' }
  /** It is the ID of a template. */
  | { readonly kind: 'template-by-id' }
  /** The template that it belongs to has no value for it. */
  | { readonly kind: 'fault'; readonly reason: string }
  | { readonly kind: 'query'; readonly query: PreparedQuery; readonly isOfTemplate: boolean }

/** Templates that are kept compiled. */
const compiledMax = 256

/** Finds prepared queries in the state, and renders them. */
export class Queries {
  readonly #reader: QueryReader
  readonly #compiled = new Map<string, { readonly query: PreparedQuery; readonly render: Render }>()

  constructor(reader: QueryReader) {
    this.#reader = reader
  }

  /** `subjects`: what the result depends on. */
  find(name: string): { readonly found: Found; readonly subjects: readonly string[] } {
    const { query, isTemplateById, subjects } = this.#reader.find(name)
    if (query === undefined) {
      const found: Found = isTemplateById ? { kind: 'template-by-id' } : { kind: 'nothing' }
      return { found, subjects }
    }
    return { found: this.#rendered(query, name), subjects }
  }

  #rendered(query: PreparedQuery, name: string): Found {
    if (!isTemplate(query)) return { kind: 'query', query, isOfTemplate: false }
    try {
      const service = this.#renderOf(query)(name)
      return { kind: 'query', query: { ...query, service }, isOfTemplate: true }
    } catch (error) {
      if (error instanceof TemplateError) return { kind: 'fault', reason: error.message }
      throw error
    }
  }

  #renderOf(query: PreparedQuery): Render {
    const known = this.#compiled.get(query.id)
    const { createIndex, modifyIndex } = query
    const isKnown =
      known?.query.modifyIndex === modifyIndex && known.query.createIndex === createIndex
    if (isKnown) return known.render
    if (this.#compiled.size >= compiledMax) this.#compiled.clear()
    const render = compileQuery(query)
    this.#compiled.set(query.id, { query, render })
    return render
  }
}
