/** A way of writing that makes readers stop, and what to write in its place. */
export interface Pattern {
  /** Applied to one sentence without its code. Always global and case-insensitive. */
  readonly find: RegExp
  readonly instead: string
  /** A sentence that the pattern finds. */
  readonly bad: string
  /** The same fact as it should be written. No pattern finds it. */
  readonly good: string
}

/** Nouns that a rate is "per": times a second and once a minute are ordinary English. */
const unit =
  '(?:call|system call|question|query|packet|request|registration|server|instance|client|hit|file|family|machine|process|write|name|line|entry|connection|table|datacenter|cluster|thread|answer)'

export const patterns: readonly Pattern[] = [
  {
    find: /\banew\b/gi,
    instead: 'again',
    bad: 'The peer is greeted anew.',
    good: 'The server connects again.',
  },
  {
    find: /\bmend(?:s|ed|ing)?\b/gi,
    instead: 'fix, repair',
    bad: 'Mend the file.',
    good: 'Fix the file.',
  },
  {
    find: /\b(?:meanwhile|thence|whence|thereof|therein|thereby|whereby|wherein|hereby|likewise|seldom|spelt)\b/gi,
    instead: 'an everyday word',
    bad: 'Meanwhile the others answer.',
    good: 'The others answer until then.',
  },
  {
    find: /\bwithout doubles\b/gi,
    instead: 'without duplicates',
    bad: 'All tags, without doubles.',
    good: 'All tags, without duplicates.',
  },
  {
    find: /\b(?:go(?:es)?|went|going) on\b(?! (?:in|with) the)/gi,
    instead: 'continue',
    bad: 'The counters go on.',
    good: 'The counters continue.',
  },
  {
    find: /\b(?:nobody|whoever|whosoever)\b/gi,
    instead: 'the role that is meant: no server, any client',
    bad: 'Nobody could be asked.',
    good: 'The agent could not be reached.',
  },
  {
    find: /(?<!\bthere )(?<!\bif there )\b(?:is|are|was|were) no (?!longer\b|more than\b|less than\b|later than\b|earlier than\b)/gi,
    instead: 'is not a …',
    bad: '"foo" is no state.',
    good: '"foo" is not a valid state.',
  },
  {
    find: /(?<=^|[.:;!?] )(?:one|those) (?:that|who|which)\b/gi,
    instead: 'the noun: "a server that …"',
    bad: 'One that is silent is dead.',
    good: 'A server that is silent counts as failed.',
  },
  {
    find: /(?:^|[.:;!?] )what (?:is|are|was|has|comes|cannot|does|it|they) (?!\w+(?: for)?$)(?!.*\?$)/gi,
    instead: 'the noun: "packets that …"',
    bad: 'What comes beyond that is dropped.',
    good: 'Further packets are dropped.',
  },
  {
    find: /[,;] for (?:it|they|there|nobody|this is|these are|we|he|no \w+ (?:is|can|has)|(?:the|an?) \w+ (?:is|are|has|have|can|cannot|may|must|does|would|keeps|dials|takes|sees)) /gi,
    instead: 'because',
    bad: 'It needs no address, for the leader dials it.',
    good: 'It needs no address, because the leader connects to it.',
  },
  {
    find: /\bfor good\b/gi,
    instead: 'permanently',
    bad: 'It is gone for good.',
    good: 'It is removed permanently.',
  },
  {
    find: /\bat once\b/gi,
    instead: 'immediately, or: at the same time',
    bad: 'It answers at once.',
    good: 'It answers immediately.',
  },
  {
    find: /\b(?:unless told|all the same|of its own accord|word for word|for all time|come what may)\b/gi,
    instead: 'by default, nevertheless, automatically',
    bad: 'Five seconds unless told.',
    good: 'Five seconds by default.',
  },
  {
    find: /\bever (?:more|again|after|longer|larger|greater|slower|rarer)\b/gi,
    instead: 'increasingly',
    bad: 'It tries ever more rarely.',
    good: 'It retries with increasing delays.',
  },
  {
    find: /\bbears? (?:a|one|two|the) (?:death|loss|failure)/gi,
    instead: 'tolerate',
    bad: 'Five bear two deaths.',
    good: 'Five servers tolerate two failures.',
  },
  {
    find: new RegExp(
      `\\b(?:bytes|packets|questions|queries|requests|records|times|lines|rows|many|one|ms|µs|us|ns|KB|MB|KiB|MiB) an? ${unit}\\b`,
      'gi',
    ),
    instead: 'per',
    bad: 'Many packets a system call.',
    good: 'Many packets per system call.',
  },
  {
    find: /\b(?:stands?|stood) still\b/gi,
    instead: 'is blocked, stops',
    bad: 'This process stood still.',
    good: 'The event loop was blocked.',
  },
  {
    find: /\b(?:begin|began|begun|start)s? (?:a )?new from\b/gi,
    instead: 'rebuild from',
    bad: 'To begin new from a file.',
    good: 'To rebuild a cluster from a backup.',
  },
  {
    find: /\bleads? no more\b|\bis heard any ?more\b/gi,
    instead: 'lost leadership, lost contact with the leader',
    bad: 'This server leads no more.',
    good: 'This server lost leadership.',
  },
  {
    find: /\bnever (?:was|were)(?=[.;:,)]|$)/gi,
    instead: 'never existed',
    bad: 'The session has ended, or never was.',
    good: 'The session has ended, or it never existed.',
  },
  {
    find: /\bbecomes? of\b/gi,
    instead: 'happens to',
    bad: 'This option sets what becomes of its keys.',
    good: 'This option sets what happens to its keys.',
  },
  {
    find: /\bthe (?:former|latter)\b/gi,
    instead: 'the noun again',
    bad: 'An option changes the former.',
    good: 'An option changes the first answer.',
  },
  {
    find: /\b(?:may|can|must) (?:also )?stand\b(?! for\b)/gi,
    instead: 'can be, can use',
    bad: 'Expressions may stand in every text.',
    good: 'You can use expressions in every text.',
  },
  {
    find: /\b(?:is|are) gone from\b/gi,
    instead: 'has no … any more',
    bad: 'Try again when the session is gone from it.',
    good: 'Try again when the key has no session any more.',
  },
]

/** The longest sentence of running text: a reader holds about 20 words, and forgives some more. */
export const maxSentenceWords = 40
