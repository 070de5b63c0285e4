/** A fault in a template, with Consul's text where it has one. */
export class TemplateError extends Error {
  override name = 'TemplateError'
}
