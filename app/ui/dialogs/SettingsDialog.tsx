import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { Settings, SettingsModel } from '../../models/settings-model.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { DeviceKeys } from './DeviceKeys.tsx'
import { Diagnostics } from './Diagnostics.tsx'
import { OwnRelays } from './OwnRelays.tsx'

export interface SettingsDialogProps {
  readonly settings: SettingsModel
  readonly now: number
  readonly onClose: () => void
}

const Section = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="section">
    <h3>{title}</h3>
    {children}
  </section>
)

const NameForm = ({ settings }: Pick<SettingsDialogProps, 'settings'>) => {
  const [text, setText] = useState(settings.name.value)
  const [stored, setStored] = useState(false)
  const fieldId = useId()
  const unchanged = text.trim() === settings.name.value || text.trim() === ''
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!unchanged) void settings.rename(text).then(setStored)
      }}
    >
      <label class="field-label" for={fieldId}>
        Your name
      </label>
      <div class="field-line">
        <input
          id={fieldId}
          class="field"
          type="text"
          dir="auto"
          autocomplete="off"
          maxLength={settings.maxNameLength.value}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setStored(false)
          }}
        />
        <button type="submit" class="button" disabled={unchanged}>
          {stored && unchanged ? 'Saved' : 'Save'}
        </button>
      </div>
      <p class="hint">Your contacts see it. It travels sealed.</p>
    </form>
  )
}

const themes: readonly { value: Settings['theme']; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

const ThemeChoice = ({ settings }: Pick<SettingsDialogProps, 'settings'>) => {
  const group = useId()
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">Theme</legend>
      {themes.map(({ value, label }) => (
        <label key={value}>
          <input
            type="radio"
            name={group}
            checked={settings.settings.value.theme === value}
            onChange={() => void settings.change({ theme: value })}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}

/** Brings the question onto the screen, with the harmless answer at hand. */
const focusOnce = (element: HTMLButtonElement | null): void => element?.focus()

const Wipe = ({ settings }: Pick<SettingsDialogProps, 'settings'>) => {
  const [asked, setAsked] = useState(false)
  if (!asked)
    return (
      <button type="button" class="button button-danger-quiet" onClick={() => setAsked(true)}>
        Delete everything on this device…
      </button>
    )
  return (
    <div class="confirm" role="alertdialog" aria-label="Delete everything?">
      <p>
        Your name, keys, contacts and conversations on this device will be gone for good. Nobody, not even the relay,
        can bring them back.
      </p>
      <div class="dialog-actions">
        <button ref={focusOnce} type="button" class="button" onClick={() => setAsked(false)}>
          Keep everything
        </button>
        <button
          type="button"
          class="button button-danger"
          disabled={settings.wiping.value}
          onClick={() => void settings.wipe()}
        >
          {settings.wiping.value ? 'Deleting…' : 'Delete everything'}
        </button>
      </div>
    </div>
  )
}

type Switch = Exclude<keyof Settings, 'theme'>

/** What is told to contacts; what is not told is not shown of them either, but for receipts. */
const switches: readonly { setting: Switch; label: string; hint: string }[] = [
  {
    setting: 'sendReadReceipts',
    label: 'Tell others when I have read their messages',
    hint: 'They still learn that a message arrived.',
  },
  {
    setting: 'shareTyping',
    label: 'Tell others when I am writing',
    hint: 'Without it you do not see when they are.',
  },
  {
    setting: 'sharePresence',
    label: 'Tell others when I am here',
    hint: 'Online, away, last seen: only over a direct connection, never through a relay. Without it you do not see it of others.',
  },
]

const Privacy = ({ settings }: Pick<SettingsDialogProps, 'settings'>) => (
  <>
    {switches.map(({ setting, label, hint }) => (
      <label key={setting} class="switch-line">
        <input
          type="checkbox"
          role="switch"
          class="switch"
          checked={settings.settings.value[setting]}
          onChange={(event) => void settings.change({ [setting]: event.currentTarget.checked })}
        />
        <span>
          {label}
          <small class="hint">{hint}</small>
        </span>
      </label>
    ))}
    <p class="hint">
      An invite link that was opened here may stay in this browser’s history. Remove it there if others use this
      browser.
    </p>
  </>
)

const Keys = () => (
  <dl class="keys">
    <dt>
      <kbd>Enter</kbd>
    </dt>
    <dd>Send</dd>
    <dt>
      <kbd>Shift</kbd> <kbd>Enter</kbd>
    </dt>
    <dd>New line</dd>
    <dt>
      <kbd>Alt</kbd> <kbd>↑</kbd> <kbd>↓</kbd>
    </dt>
    <dd>Previous or next conversation</dd>
    <dt>
      <kbd>Esc</kbd>
    </dt>
    <dd>Close</dd>
  </dl>
)

/** Name, looks, privacy, relays, diagnostics, and the way out. */
export const SettingsDialog = ({ settings, now, onClose }: SettingsDialogProps) => (
  <Dialog title="Settings" onClose={onClose}>
    {settings.problem.value !== null && (
      <p class="problem" role="alert">
        {settings.problem.value}
      </p>
    )}
    <Section title="You">
      <NameForm settings={settings} />
    </Section>
    <Section title="Theme">
      <ThemeChoice settings={settings} />
    </Section>
    <Section title="Privacy">
      <Privacy settings={settings} />
    </Section>
    <Section title="Keys">
      <DeviceKeys settings={settings} />
    </Section>
    <Section title="Relays">
      <OwnRelays relays={settings.relays} />
    </Section>
    <Section title="Diagnostics">
      <Diagnostics diagnostics={settings.diagnostics} now={now} />
    </Section>
    <Section title="Keyboard">
      <Keys />
    </Section>
    <Section title="Delete">
      <Wipe settings={settings} />
    </Section>
    <p class="hint about">Sotto {settings.version.value}. Private messages in a plain browser tab.</p>
  </Dialog>
)
