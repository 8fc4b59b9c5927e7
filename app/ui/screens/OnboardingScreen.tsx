import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import type { OnboardingModel } from '../../models/onboarding-model.ts'
import { BubbleIcon } from '../parts/icons.tsx'
import { Screen } from './Screen.tsx'

interface Props {
  readonly onboarding: OnboardingModel
  readonly focus: boolean
}

const Invited = ({ invited }: { invited: 'no' | 'yes' | 'unreadable' }) => {
  if (invited === 'no') return null
  if (invited === 'unreadable')
    return (
      <p class="banner banner-warning" role="alert">
        The invite you opened is damaged. You can begin without it and ask for it again.
      </p>
    )
  return (
    <p class="banner">
      You were invited to a conversation. Choose a name, and it opens. The link may stay in this browser’s history.
    </p>
  )
}

const RelayField = ({ onboarding }: { onboarding: OnboardingModel }) => {
  const fieldId = useId()
  const hintId = useId()
  return (
    <div>
      <label class="field-label" for={fieldId}>
        Relay address
      </label>
      <input
        id={fieldId}
        class="field field-code"
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder="/dns/relay.example.org/tcp/443/tls/ws/p2p/…"
        aria-describedby={hintId}
        value={onboarding.relayText.value}
        onInput={(event) => onboarding.editRelay(event.currentTarget.value)}
      />
      <p class="hint" id={hintId}>
        A relay keeps sealed messages for you while you are away. Whoever runs one can tell you its address.
      </p>
    </div>
  )
}

/** A name and nothing else. */
export const OnboardingScreen = ({ onboarding, focus }: Props) => {
  const field = useRef<HTMLInputElement>(null)
  const fieldId = useId()
  useLayoutEffect(() => {
    if (focus) field.current?.focus()
  }, [])
  return (
    <Screen icon={<BubbleIcon />} title="Sotto">
      <p class="tagline">
        Private messages in a plain browser tab. No phone number, no e-mail, no account on a server.
      </p>
      <Invited invited={onboarding.invited.value} />
      <form
        class="screen-form"
        onSubmit={(event) => {
          event.preventDefault()
          void onboarding.start()
        }}
      >
        <div>
          <label class="field-label" for={fieldId}>
            Your name
          </label>
          <input
            ref={field}
            id={fieldId}
            class="field"
            type="text"
            dir="auto"
            autocomplete="off"
            maxLength={onboarding.maxNameLength.value}
            value={onboarding.name.value}
            onInput={(event) => onboarding.editName(event.currentTarget.value)}
          />
        </div>
        {onboarding.needsRelay.value && <RelayField onboarding={onboarding} />}
        {onboarding.problem.value !== null && (
          <p class="problem" role="alert">
            {onboarding.problem.value}
          </p>
        )}
        <button type="submit" class="button button-strong button-wide" disabled={!onboarding.canStart.value}>
          {onboarding.starting.value ? <span class="spinner spinner-small" /> : null}
          Start
        </button>
      </form>
      <p class="hint">
        Your contacts see this name. Your keys are made on this device and stay on it: other people cannot get them, and
        nobody can restore them either.
      </p>
    </Screen>
  )
}
