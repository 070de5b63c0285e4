import type { Viewer } from '../../../access/viewer.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Question } from '../../../http/renderer.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import type { Session } from '../../../state/session/model.ts'
import type { SessionReader } from '../../../state/session/reader.ts'
import { sessionSubject } from '../../../state/session/subjects.ts'

type SessionQuestion = Question<SessionReader>

/** A session, as a list that may be empty. */
export function oneSession(state: FamilyReads<SessionReader>, id: string): SessionQuestion {
  return {
    state,
    subject: sessionSubject.session(id),
    answer: (reader, viewer) => {
      const session = reader.session(id)
      return { kind: 'list', rows: session === undefined ? [] : [rowFor(viewer)(session)] }
    },
  }
}

export function sessionsOfNode(state: FamilyReads<SessionReader>, node: string): SessionQuestion {
  return {
    state,
    subject: sessionSubject.node(node),
    about: { resource: 'session', name: node, missing: { kind: 'list', rows: [] } },
    answer: (reader, viewer) => ({
      kind: 'list',
      rows: rowsOf(reader.sessionsOf(node), rowFor(viewer)),
    }),
  }
}

export function allSessions(state: FamilyReads<SessionReader>): SessionQuestion {
  return {
    state,
    subject: sessionSubject.all,
    answer: (reader, viewer) => ({
      kind: 'list',
      rows: rowsOf(reader.sessions(), rowFor(viewer)),
    }),
  }
}

/** The row of a session that the viewer sees: rules of sessions name their nodes. */
function rowFor(viewer: Viewer): (session: Session) => object | undefined {
  return (session) => (viewer.sees('session', session.node) ? sessionJson(session) : undefined)
}

/** A session in Consul's fields. */
export function sessionJson(session: Session) {
  return {
    ID: session.id,
    Name: session.name,
    Node: session.node,
    // In nanoseconds.
    LockDelay: session.lockDelayNs,
    Behavior: session.behavior,
    TTL: session.ttl,
    NodeChecks: session.nodeChecks,
    ServiceChecks:
      session.serviceChecks?.map(({ id, namespace }) => ({ ID: id, Namespace: namespace })) ?? null,
    CreateIndex: session.createIndex,
    ModifyIndex: session.modifyIndex,
  }
}
