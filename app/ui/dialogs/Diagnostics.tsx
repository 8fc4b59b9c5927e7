import { useEffect } from 'preact/hooks'
import type {
  ContactFindings,
  DiagnosticLine,
  DiagnosticsModel,
  RelayFindings,
} from '../../models/diagnostics-model.ts'
import { clockTime, exactTime, isSameDay, relativeTime } from '../parts/format-time.ts'

interface Props {
  readonly diagnostics: DiagnosticsModel
  readonly now: number
}

const megabytes = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 })
const gigabytes = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'gigabyte', maximumFractionDigits: 0 })
const stamp = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' })

/** 5 s: what is looked at while something is being waited for should move. */
const lookAgainMs = 5_000

const size = (bytes: number): string => (bytes < 1e9 ? megabytes.format(bytes / 1e6) : gigabytes.format(bytes / 1e9))

const Moment = ({ ms, now }: { ms: number; now: number }) => (
  <time dateTime={new Date(ms).toISOString()} title={exactTime(ms)}>
    {relativeTime(ms, now)}
  </time>
)

/** What came of asking for a repair. */
const answerWords = (answer: ReturnType<DiagnosticsModel['repairs']['value']['get']>): string => {
  if (answer === undefined) return ''
  if (answer === 'running') return 'Asking…'
  if (answer === 'failed') return 'This could not be stored. Reload the page and try again.'
  switch (answer.kind) {
    case 'begun':
      return 'A new session is made as soon as their keys can be fetched, and what has not arrived is sent again.'
    case 'later':
      return `What has not arrived is sent again. A session was repaired lately; the next repair begins at ${clockTime(answer.atMs)}.`
    case 'keys-changed':
      return 'Their keys have changed. Say yes to the new ones in the conversation first.'
    case 'nobody':
      return 'There is nobody to repair anything with.'
  }
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const Contact = ({ contact, diagnostics, now }: Props & { contact: ContactFindings }) => {
  const { conversationId, name, heardAtMs, waiting, unreceipted, reason, dial } = contact
  const answer = diagnostics.repairs.value.get(conversationId)
  return (
    <li class="finding">
      <span class={`relay-state path-${contact.path}`} aria-hidden="true" />
      <strong>
        <bdi>{name}</bdi>
      </strong>
      <div class="finding-words">
        <p>{contact.pathWords}</p>
        <p class="hint">
          {heardAtMs === undefined ? (
            'Never heard of yet.'
          ) : (
            <>
              Last heard of: <Moment ms={heardAtMs} now={now} />.
            </>
          )}
        </p>
        {dial !== undefined && (
          <p class="hint">
            Last direct attempt: {dial.words} (<Moment ms={dial.atMs} now={now} />
            ).
          </p>
        )}
        {waiting > 0 && <p>{counted(waiting, 'message waits', 'messages wait')} here.</p>}
        {reason !== undefined && <p>{reason}</p>}
        {unreceipted > 0 && (
          <p class="hint">
            {counted(unreceipted, 'message is', 'messages are')} on the way, not known to have arrived.
          </p>
        )}
        <p class="hint" role="status">
          {answerWords(answer)}
        </p>
      </div>
      <button
        type="button"
        class="button finding-act"
        aria-label={`Repair the connection with ${name}`}
        disabled={answer === 'running'}
        onClick={() => void diagnostics.repair(conversationId)}
      >
        Repair
      </button>
    </li>
  )
}

const Relay = ({ relay, now }: { relay: RelayFindings; now: number }) => (
  <li class="finding">
    <span class={`relay-state relay-${relay.state}`} aria-hidden="true" />
    <strong>
      <bdi>{relay.name}</bdi>
    </strong>
    <div class="finding-words">
      <p>
        {relay.stateWords}
        {relay.sinceMs !== undefined && (
          <>
            {' since '}
            <time dateTime={new Date(relay.sinceMs).toISOString()}>
              {isSameDay(relay.sinceMs, now) ? clockTime(relay.sinceMs) : exactTime(relay.sinceMs)}
            </time>
          </>
        )}
        .
      </p>
      <p class="hint">{relay.lacking}</p>
    </div>
  </li>
)

const Line = ({ line }: { line: DiagnosticLine }) => (
  <li>
    <time dateTime={new Date(line.atMs).toISOString()}>{stamp.format(line.atMs)}</time>
    <span>
      {line.area} · {line.code}
    </span>
    <span class="hint">{line.detail}</span>
  </li>
)

const Storage = ({ diagnostics }: Pick<Props, 'diagnostics'>) => {
  const found = diagnostics.found.value
  if (found === null) return null
  return (
    <dl class="facts">
      <dt>Storage</dt>
      <dd>
        {found.persisted ? 'The browser keeps it.' : 'The browser may clear it when space runs low.'}
        {!found.persisted && (
          <button type="button" class="button-link" onClick={() => void diagnostics.keepStorage()}>
            Ask it to keep it
          </button>
        )}
      </dd>
      <dt>Used</dt>
      <dd>
        {size(found.usageBytes)} of {size(found.quotaBytes)}
      </dd>
      <dt>Profile</dt>
      <dd>
        {found.confirmed
          ? 'A relay has confirmed that this is its newest copy.'
          : 'No relay has confirmed yet that this is its newest copy; until then everything waits.'}
      </dd>
    </dl>
  )
}

const Report = ({ diagnostics }: Pick<Props, 'diagnostics'>) => {
  const done = diagnostics.handedOut.value
  return (
    <>
      <div class="report-actions">
        <button type="button" class="button" onClick={() => void diagnostics.copyReport()}>
          Copy a report
        </button>
        <button type="button" class="button" onClick={() => void diagnostics.saveReport()}>
          Save it as a file
        </button>
      </div>
      <p class="hint" role="status">
        {done === 'copied' && 'Copied. '}
        {done === 'saved' && 'Saved. '}
        The report holds what stands here without names, addresses, keys or anything written.
      </p>
    </>
  )
}

/** Why isn't it working? Every contact and relay in plain words, storage, a report to hand on, and the log. */
export const Diagnostics = ({ diagnostics, now }: Props) => {
  useEffect(() => {
    const timer = setInterval(() => void diagnostics.look(), lookAgainMs)
    return () => clearInterval(timer)
  }, [diagnostics])
  const found = diagnostics.found.value
  const problem = diagnostics.problem.value
  if (found === null) return <p class="hint">{problem ?? 'Reading…'}</p>
  // The page's clock ticks slowly; nothing found just now lies in its future.
  const seen = Math.max(now, found.atMs)
  return (
    <>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {diagnostics.contacts.value.length > 0 && (
        <ul class="findings" aria-label="Contacts">
          {diagnostics.contacts.value.map((contact) => (
            <Contact key={contact.conversationId} contact={contact} diagnostics={diagnostics} now={seen} />
          ))}
        </ul>
      )}
      <ul class="findings" aria-label="Your relays">
        {diagnostics.relays.value.map((relay) => (
          <Relay key={relay.relayId} relay={relay} now={seen} />
        ))}
      </ul>
      <Storage diagnostics={diagnostics} />
      <Report diagnostics={diagnostics} />
      {found.lines.length === 0 ? (
        <p class="hint">Nothing unusual has happened.</p>
      ) : (
        <ol class="log" tabIndex={0} aria-label="Diagnostics log">
          {found.lines.toReversed().map((line, index) => (
            <Line key={`${line.atMs}-${index}`} line={line} />
          ))}
        </ol>
      )}
    </>
  )
}
