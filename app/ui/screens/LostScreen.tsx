import { WarningIcon } from '../parts/icons.tsx'
import { Screen } from './Screen.tsx'

interface Props {
  /** The browser's own words. */
  readonly reason: string | undefined
  readonly onReload: () => void
  readonly onBeginAnew: () => void
}

/** An account was stored here and is not any more. */
export const LostScreen = ({ reason, onReload, onBeginAnew }: Props) => (
  <Screen icon={<WarningIcon />} title="What was stored here is gone">
    <p role="alert">
      Sotto has been used in this browser, but your account, contacts and messages are no longer in it. Browsers delete
      such data when site data are cleared, when space runs low, or when they are stopped at a bad moment.
    </p>
    <p>
      Nobody else has the keys, so nobody can restore them. If you have a copy of this browser’s profile, put it back
      first. Otherwise start anew and exchange new invites with your contacts.
    </p>
    {reason !== undefined && <p class="hint">The browser says: {reason}</p>}
    <button type="button" class="button button-strong" onClick={onBeginAnew}>
      Start anew
    </button>
    <button type="button" class="button" onClick={onReload}>
      Look again
    </button>
  </Screen>
)
