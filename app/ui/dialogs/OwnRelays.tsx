import { useEffect, useId, useRef } from 'preact/hooks'
import type { OwnRelaysModel, RelayView } from '../../models/own-relays-model.ts'

interface Props {
  readonly relays: OwnRelaysModel
}

const relayWords = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Connecting again',
  offline: 'Not reachable',
  outdated: 'Needs a newer Sotto',
} as const satisfies Record<RelayView['state'], string>

/** Operators rarely name their relays, so the place tells them apart. */
const placeOf = ({ addresses: [first = ''] }: RelayView): string =>
  /^\/(?:dns[46]?|ip[46])\/([^/]+)\/(?:tcp|udp)\/(\d+)/.exec(first)?.slice(1).join(':') ?? 'an address of its own'

const nameOf = ({ name }: RelayView): string => name || 'Relay'

const fullNameOf = (relay: RelayView): string => `${nameOf(relay)} at ${placeOf(relay)}`

/** The form appears where the person pressed, so its field is where they go on. */
const focusOnce = (element: HTMLElement | null): void => element?.focus()

const AddressForm = ({ relays }: Props) => {
  const [fieldId, hintId, problemId] = [useId(), useId(), useId()]
  const moving = relays.task.value.kind === 'move'
  const problem = relays.problem.value
  const busy = relays.busy.value
  return (
    <form
      class="confirm confirm-calm"
      aria-label={moving ? 'Move to another relay' : 'Add a relay'}
      onSubmit={(event) => {
        event.preventDefault()
        void relays.submit()
      }}
    >
      <label class="field-label" for={fieldId}>
        {moving ? 'Address of the relay to move to' : 'Address of the relay'}
      </label>
      <input
        ref={focusOnce}
        id={fieldId}
        class="field field-code"
        type="text"
        inputMode="url"
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        placeholder="relay.example.org"
        aria-describedby={problem === null ? hintId : `${problemId} ${hintId}`}
        aria-invalid={problem !== null}
        readOnly={busy}
        value={relays.address.value}
        onInput={(event) => relays.editAddress(event.currentTarget.value)}
      />
      {problem !== null && (
        <p class="problem" id={problemId} role="alert">
          {problem}
        </p>
      )}
      <p class="hint" id={hintId}>
        {moving
          ? 'Your contacts follow by themselves, also when the old relay is gone. What is on its way there is collected for 30 days.'
          : 'With two relays you stay reachable when one of them fails, for a day or for good. Your contacts learn of it by themselves.'}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" disabled={busy} onClick={relays.cancel}>
          Cancel
        </button>
        <button type="submit" class="button button-strong" disabled={busy || relays.address.value.trim() === ''}>
          {busy ? 'Asking the relay…' : moving ? 'Move' : 'Add'}
        </button>
      </div>
    </form>
  )
}

const Removal = ({ relays, relay }: Props & { relay: RelayView }) => (
  <div class="confirm" role="alertdialog" aria-label={`Remove ${fullNameOf(relay)}?`}>
    <p>
      Your contacts will no longer leave anything at <bdi>{nameOf(relay)}</bdi> at {placeOf(relay)}. What is already on
      its way there is collected for 30 days. Invites that you made while you were there lead there still.
    </p>
    {relays.problem.value !== null && (
      <p class="problem" role="alert">
        {relays.problem.value}
      </p>
    )}
    <div class="dialog-actions">
      <button ref={focusOnce} type="button" class="button" onClick={relays.cancel}>
        Keep it
      </button>
      <button
        type="button"
        class="button button-danger"
        disabled={relays.busy.value}
        onClick={() => void relays.remove()}
      >
        {relays.busy.value ? 'Removing…' : 'Remove'}
      </button>
    </div>
  </div>
)

const RelayActions = ({ relays, relay }: Props & { relay: RelayView }) => (
  <div class="relay-actions">
    <button
      type="button"
      class="button"
      aria-label={`Move away from ${fullNameOf(relay)}`}
      disabled={relays.busy.value}
      onClick={() => relays.begin({ kind: 'move', relayId: relay.relayId })}
    >
      Move…
    </button>
    {!relays.isOnly.value && (
      <button
        type="button"
        class="button"
        aria-label={`Remove ${fullNameOf(relay)}`}
        disabled={relays.busy.value}
        onClick={() => relays.begin({ kind: 'remove', relayId: relay.relayId })}
      >
        Remove…
      </button>
    )}
  </div>
)

const Relay = ({ relays, relay }: Props & { relay: RelayView }) => {
  const task = relays.task.value
  const chosen = 'relayId' in task && task.relayId === relay.relayId ? task.kind : 'none'
  return (
    <li class="relay">
      <span class={`relay-state relay-${relay.state}`} aria-hidden="true" />
      <strong>
        <bdi>{nameOf(relay)}</bdi>
      </strong>
      <span class="hint">{relayWords[relay.state]}</span>
      <details>
        <summary>at {placeOf(relay)}</summary>
        <ul class="addresses">
          {relay.addresses.map((address) => (
            <li key={address}>{address}</li>
          ))}
        </ul>
      </details>
      {chosen === 'none' && <RelayActions relays={relays} relay={relay} />}
      {chosen === 'move' && <AddressForm relays={relays} />}
      {chosen === 'remove' && <Removal relays={relays} relay={relay} />}
    </li>
  )
}

/** What has been done; what it was done with is gone from the page, so the focus comes here. */
const News = ({ text }: { text: string }) => {
  const line = useRef<HTMLParagraphElement>(null)
  useEffect(() => line.current?.focus(), [text])
  return (
    <p ref={line} class="verdict verdict-good" role="status" tabIndex={-1}>
      {text}
    </p>
  )
}

/** The relays this account lives at, with their state, and ways to add, leave and exchange them. */
export const OwnRelays = ({ relays }: Props) => {
  // Opened again, the settings begin anew.
  useEffect(() => relays.cancel, [])
  return (
    <>
      {relays.relays.value.length === 0 && <p class="hint">None yet.</p>}
      <ul class="relays">
        {relays.relays.value.map((relay) => (
          <Relay key={relay.relayId} relays={relays} relay={relay} />
        ))}
      </ul>
      {relays.news.value !== null && <News text={relays.news.value} />}
      {relays.task.value.kind === 'add' ? (
        <AddressForm relays={relays} />
      ) : relays.canAdd.value ? (
        <button
          type="button"
          class="button button-start"
          disabled={relays.busy.value}
          onClick={() => relays.begin({ kind: 'add' })}
        >
          Add a relay…
        </button>
      ) : (
        <p class="hint">Three relays are the most; to change one, move from it.</p>
      )}
    </>
  )
}
