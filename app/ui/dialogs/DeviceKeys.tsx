import { useState } from 'preact/hooks'
import type { SettingsModel } from '../../models/settings-model.ts'

const age = (days: number): string =>
  days === 0 ? 'today' : new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(-days, 'day')

/** Brings the question onto the screen, with the harmless answer at hand. */
const focusOnce = (element: HTMLButtonElement | null): void => element?.focus()

/** How old this device's keys are, and new ones for the asking. */
export const DeviceKeys = ({ settings }: { settings: SettingsModel }) => {
  const [asked, setAsked] = useState(false)
  const replacing = settings.replacing.value
  const days = settings.keyAgeDays.value
  return (
    <>
      <p>
        This device’s keys were made {age(days)}.
        {settings.keysAreOld.value && (
          <span class="hint offer">
            That is a while. New keys now and then make a stolen copy of the old ones worthless.
          </span>
        )}
      </p>
      {replacing === 'done' && !asked && (
        <p class="verdict verdict-good" role="status">
          The keys are new. Your contacts see a line about it.
        </p>
      )}
      {asked ? (
        <div class="confirm confirm-calm" role="alertdialog" aria-label="Replace device keys?">
          <p>
            Your contacts see that your keys have changed; who has verified you is asked before writing on.
            Conversations and messages stay, and what is on its way still arrives.
          </p>
          <div class="dialog-actions">
            <button ref={focusOnce} type="button" class="button" onClick={() => setAsked(false)}>
              Keep these
            </button>
            <button
              type="button"
              class="button button-strong"
              disabled={replacing === 'running'}
              onClick={() => void settings.replaceKeys().then(() => setAsked(false))}
            >
              {replacing === 'running' ? 'Replacing…' : 'Replace keys'}
            </button>
          </div>
        </div>
      ) : (
        <button
          type="button"
          class={`button ${settings.keysAreOld.value ? 'button-strong' : ''} button-start`}
          onClick={() => setAsked(true)}
        >
          Replace device keys…
        </button>
      )}
    </>
  )
}
