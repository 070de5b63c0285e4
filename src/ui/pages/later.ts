// The pages that the first view does not need. They are loaded together, in one file: a file for each would split what
// they share with the first view into many small files, and each of them would have to arrive before the first view.

export { Access } from './access/access.tsx'
export { EventsPage } from './events/events-page.tsx'
export { IntentionPage, NewIntentionPage } from './intentions/intention-page.tsx'
export { IntentionsPage } from './intentions/intentions-page.tsx'
export { KvPage } from './kv/kv-page.tsx'
export { QueriesPage } from './queries/queries-page.tsx'
export { QueryPage } from './queries/query-page.tsx'
export { SessionPage } from './sessions/session-page.tsx'
export { SessionsPage } from './sessions/sessions-page.tsx'
