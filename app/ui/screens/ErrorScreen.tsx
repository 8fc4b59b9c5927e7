import { WarningIcon } from '../parts/icons.tsx'
import { Screen } from './Screen.tsx'

/** Why the app cannot run here. */
export type Obstacle = 'insecure' | 'unsupported' | 'storage' | 'crashed'

const sentences = {
  insecure: {
    title: 'This address is not secure',
    text: 'Browsers allow encryption and storage only on addresses that begin with https, and on this computer itself (localhost). Open Sotto at such an address.',
  },
  unsupported: {
    title: 'This browser is too old',
    text: 'Sotto needs a browser from the last two years. Update this one, or use a current Firefox, Chrome, Edge or Safari.',
  },
  storage: {
    title: 'Nothing can be stored here',
    text: 'Sotto keeps your keys and messages in this browser, and the browser refused. Private windows often do; so does a full disk. Use an ordinary window, make room, then reload.',
  },
  crashed: {
    title: 'Sotto stopped',
    text: 'Something went wrong that should not have. Everything that was stored is still there; reload to go on.',
  },
} as const satisfies Record<Obstacle, { title: string; text: string }>

/** Says what is in the way and what to do about it. */
export const ErrorScreen = ({ obstacle, onReload }: { obstacle: Obstacle; onReload: () => void }) => (
  <Screen icon={<WarningIcon />} title={sentences[obstacle].title}>
    <p role="alert">{sentences[obstacle].text}</p>
    <button type="button" class="button button-strong" onClick={onReload}>
      Reload
    </button>
  </Screen>
)
