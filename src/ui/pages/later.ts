import { Access } from './access/access.tsx'
import { EventsPage } from './events/events-page.tsx'
import { IntentionPage, NewIntentionPage } from './intentions/intention-page.tsx'
import { IntentionsPage } from './intentions/intentions-page.tsx'
import { KvPage } from './kv/kv-page.tsx'
import { QueriesPage } from './queries/queries-page.tsx'
import { QueryPage } from './queries/query-page.tsx'
import { SessionPage } from './sessions/session-page.tsx'
import { SessionsPage } from './sessions/sessions-page.tsx'

// The pages that the first view does not need. They are loaded together, in one file: a file for each would split what
// they share with the first view into many small files, and each of them would have to arrive before the first view.

export const later = {
  Access,
  EventsPage,
  IntentionPage,
  NewIntentionPage,
  IntentionsPage,
  KvPage,
  QueriesPage,
  QueryPage,
  SessionPage,
  SessionsPage,
}
